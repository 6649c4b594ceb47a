// Command peers is a bare bot on slack-go's own socketmode, to be measured
// beside psycher: it acks, triggers, and reacts, and keeps nothing.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
)

// The net/http defaults keep two idle connections a host; a bot that is asked
// 200 times a second would dial for most of its calls.
var client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	api := slack.New(os.Getenv("SLACK_BOT_TOKEN"), slack.OptionAppLevelToken(os.Getenv("SLACK_APP_TOKEN")),
		slack.OptionAPIURL(os.Getenv("SLACK_API_URL")), slack.OptionHTTPClient(client))
	bot := socketmode.New(api)
	var running sync.WaitGroup
	running.Go(func() {
		for e := range bot.Events {
			if event, ok := e.Data.(slackevents.EventsAPIEvent); ok && e.Type == socketmode.EventTypeEventsAPI {
				running.Go(func() { handle(ctx, bot, *e.Request, event) })
			}
		}
	})
	if err := bot.RunContext(ctx); err != nil && !errors.Is(err, context.Canceled) {
		log.Print(err)
		os.Exit(1)
	}
}

func handle(ctx context.Context, bot *socketmode.Client, req socketmode.Request, event slackevents.EventsAPIEvent) {
	if err := bot.Ack(req); err != nil {
		log.Print(err)
	}
	m, ok := event.InnerEvent.Data.(*slackevents.AppMentionEvent)
	if !ok || !strings.Contains(m.Text, "release") {
		return
	}
	if err := trigger(ctx, m.Channel, m.TimeStamp); err != nil {
		log.Print(err)
		return
	}
	if err := bot.AddReactionContext(ctx, "thumbsup", slack.NewRefToMessage(m.Channel, m.TimeStamp)); err != nil {
		log.Print(err)
	}
}

func trigger(ctx context.Context, channel, ts string) error {
	body, err := json.Marshal(map[string]any{
		"token": os.Getenv("TRIGGER_TOKEN"), "ref": "master",
		"variables": map[string]string{"channel": channel, "timestamp": ts},
	})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		os.Getenv("GITLAB_URL")+"/api/v4/projects/"+url.PathEscape(os.Getenv("PROJECT"))+"/trigger/pipeline", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var made struct{ ID int64 }
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&made); err != nil || made.ID == 0 {
		return fmt.Errorf("GitLab answered %s: %w", resp.Status, err)
	}
	return nil
}
