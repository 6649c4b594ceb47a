package web

import (
	"fmt"

	"github.com/slack-go/slack"

	"github.com/getto-systems/psycher/deploy"
)

// maxButtons is how many targets get a button each; more are in a menu.
const maxButtons = 4

// content is a message as Slack takes it: its text alone, which also removes the
// buttons that a message had; or with buttons blocks, and the text for
// notifications.
func (c *Client) content(m deploy.Message) slack.MsgOption {
	voice := c.config.Voice
	text := voice.Text(m)
	if len(m.Buttons) == 0 {
		return slack.MsgOptionText(text, false)
	}
	blocks := []slack.Block{slack.NewSectionBlock(mrkdwn(text), nil, nil)}
	if note := voice.Note(m); note != "" {
		blocks = append(blocks, slack.NewContextBlock("", mrkdwn(note)))
	}
	blocks = append(blocks, slack.NewActionBlock("", c.buttons(m)...))
	return slack.MsgOptionCompose(slack.MsgOptionText(text, false), slack.MsgOptionBlocks(blocks...))
}

// buttons are a button for each choice, or a menu of them, and the last one, which
// chooses nothing.
func (c *Client) buttons(m deploy.Message) (all []slack.BlockElement) {
	choices, last := m.Buttons[:len(m.Buttons)-1], m.Buttons[len(m.Buttons)-1]
	if len(choices) > maxButtons {
		options := make([]*slack.OptionBlockObject, len(choices))
		for i, b := range choices {
			options[i] = slack.NewOptionBlockObject(b.Value, c.label(b), nil)
		}
		all = append(all, slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plainText(c.config.Voice.Choose()), "choose", options...))
	} else {
		for i, b := range choices {
			button := slack.NewButtonBlockElement(fmt.Sprintf("choose-%d", i), b.Value, c.label(b))
			if len(choices) == 1 {
				button.Style = slack.StylePrimary
			}
			all = append(all, button)
		}
	}
	return append(all, slack.NewButtonBlockElement("no", last.Value, c.label(last)))
}

func (c *Client) label(b deploy.Button) *slack.TextBlockObject {
	return plainText(c.config.Voice.Button(b))
}

func plainText(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

// mrkdwn is text that Slack neither links nor changes further.
func mrkdwn(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, text, false, true)
}
