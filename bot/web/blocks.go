package web

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/getto-systems/psycher/bot/phrases"
	"github.com/getto-systems/psycher/deploy"
)

// maxButtons is how many targets get a button each; more are in a menu.
const maxButtons = 4

// maxText is how many characters the text of an edit may have, with a margin.
const maxText = 3900

// say makes a call with a message in blocks, and where Slack refuses those once
// more as plain text: nobody is left without a word.
func (c *Client) say(ctx context.Context, method, channel, what string, m deploy.Message, options ...slack.MsgOption) (answer, error) {
	return c.call(ctx, method, channel, what, func(api *slack.Client) error {
		voice := c.config.Voice()
		text, parts := voice.Text(m), voice.Parts(m)
		send := func(as ...slack.MsgOption) error {
			_, _, _, err := api.SendMessageContext(ctx, channel, append(as, options...)...)
			return err
		}
		blocks := c.blocks(voice, m, text, parts)
		if blocks == nil {
			return send(slack.MsgOptionText(text, false)) // which also removes the blocks that it had
		}
		err := send(slack.MsgOptionText(text, false), slack.MsgOptionBlocks(blocks...))
		// mutant: refused blocks that leave people without a word
		if no := (*SlackError)(nil); !errors.As(err, &no) || reasonFor(no.Code).effect != blocksRefused {
			return err
		}
		if _, logged := c.plain.LoadOrStore(m.ID, true); !logged {
			c.config.Log.Warn().Err(err).Str("message", string(m.ID)).Msg("Slack refuses the blocks of a message, so it is sent as plain text")
		}
		return send(slack.MsgOptionText(plainly(parts), false))
	})
}

// plainly is a message without its blocks.
func plainly(parts []phrases.Part) string {
	var text string
	for _, p := range parts {
		if longer := text + "\n" + p.Text; utf8.RuneCountInString(longer) <= maxText {
			text = longer
		}
	}
	return strings.TrimPrefix(text, "\n")
}

// blocks are what a message shows; nil: its text alone.
func (c *Client) blocks(voice phrases.Voice, m deploy.Message, text string, parts []phrases.Part) (all []slack.Block) {
	if len(m.Buttons) == 0 && len(parts) == 1 && parts[0].Text == text {
		return nil
	}
	for _, p := range parts {
		if p.Small {
			all = append(all, slack.NewContextBlock("", mrkdwn(p.Text)))
		} else {
			all = append(all, slack.NewSectionBlock(mrkdwn(p.Text), nil, nil, slack.SectionBlockOptionExpand(true)))
		}
	}
	if buttons := c.buttons(voice, m); len(buttons) > 0 {
		all = append(all, slack.NewActionBlock("", buttons...))
	}
	return all
}

// maxElements is how many buttons Slack takes in a row.
const maxElements = 25

// buttons are those of a message. A question has one for each target, or a menu of
// them, and shows the one that it is about.
func (c *Client) buttons(voice phrases.Voice, m deploy.Message) (all []slack.BlockElement) {
	choices, ask := 0, !phrases.IsStatus(m)
	for _, b := range m.Buttons {
		if ask && b.Do != "" && b.Do != deploy.KindCancel {
			choices++
		}
	}
	menu := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plainText(voice.Choose()), "choose")
	for i, b := range m.Buttons {
		label := voice.Label(m, b, c.Now().Unix())
		switch button := slack.NewButtonBlockElement(fmt.Sprintf("choose-%d", i), b.Value, plainText(label.Text)); {
		case choices > maxButtons && b.Do == deploy.KindDeploy:
			if menu.Options = append(menu.Options, slack.NewOptionBlockObject(b.Value, plainText(label.Text), nil)); len(menu.Options) == 1 {
				all = append(all, menu)
			}
		case b.Do == deploy.KindOpen && label.URL == "", len(all) == maxElements:
		default:
			button.URL, button.AccessibilityLabel = label.URL, label.Reader
			switch {
			case b.Do == deploy.KindCancel:
				button.Style = slack.StyleDanger
			case choices == 1 && b.Do != "" && b.Over == "":
				button.Style = slack.StylePrimary
			}
			if d := label.Confirm; d != nil {
				button.Confirm = slack.NewConfirmationBlockObject(plainText(d[0]), plainText(d[1]), plainText(d[2]), plainText(d[3])).WithStyle(button.Style)
			}
			all = append(all, button)
		}
	}
	return all
}

func plainText(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

// mrkdwn is text that Slack neither links nor changes further.
func mrkdwn(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, text, false, true)
}
