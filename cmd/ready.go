package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// readyCommand asks the bot of this machine whether it is ready: for health
// checks where there is no curl, as in an image that holds the binary alone.
func readyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ready",
		Short: "Ask the bot that runs here whether it is ready, at ADMIN_ADDR",
		Args:  noArgs,
		RunE:  ready,
	}
}

//docgen:messages start
func ready(cmd *cobra.Command, _ []string) error {
	l := newLoader()
	l.Local = true      // it is called again and again
	s, _, _ := l.Load() // of other settings the bot itself says what is wrong
	if s.AdminAddr == "" {
		return settingsError(errors.New("ADMIN_ADDR: must be host:port"))
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), 5*time.Second)
	defer cancel()
	// To dial no host, or the unspecified address, is to dial this machine.
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.AdminAddr+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("asking the bot: %w", err)
	}
	// No proxy: the bot is on this machine.
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return fmt.Errorf("no bot answers at ADMIN_ADDR: %w", err)
	}
	defer resp.Body.Close()
	var answer readiness
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer); err != nil {
		return fmt.Errorf("no bot answers at ADMIN_ADDR: %w", err)
	}
	said := ""
	if answer.Ready {
		said = "ready\n"
	}
	for _, warning := range answer.Warnings {
		said += "warning: " + warning + "\n"
	}
	_, err = io.WriteString(cmd.OutOrStdout(), said)
	if err == nil && !answer.Ready {
		err = errors.New("not ready: " + strings.Join(answer.Reasons, "\nnot ready: "))
	}
	return err
}
