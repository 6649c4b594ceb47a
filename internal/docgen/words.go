package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/bot/words"
	"github.com/getto-systems/psycher/deploy"
)

// said are sentences for the page on what psycher understands. How it understands
// them is not written here: the program is asked.
var said = map[string][]string{
	"ja": {
		"リリース", "リリースお願いします", "app をデプロイしてもらえますか？", "マージしました。リリースお願いします", "レビュー通ったのでデプロイして", "お疲れ様です、本番リリースよろしく！",
		"至急デプロイ頼む", "もう一回リリースして。終わったら教えて", "release", "明日リリースして", "リリースしていい？", "stagingにデプロイ", "v1.2.3をリリース", "リリースノート書いて",
		"テスト通ったらリリースして", "田中さん、リリースお願いします", "キャンセル機能をリリースして", "ヘルプ", "状況は？", "リリース終わった？", "止めて", "リリース待って", "履歴", "何が出る？", "もう一度",
		"ロールバックして", "ロック", "14時半までロック", "解除して", "おはよう", "ありがとう",
	},
	"en": {
		"release", "please deploy", "could you release app, please?", "tests passed, deploy", "merged and approved. Please release!", "good morning, let's deploy to production",
		"deploy again asap, thanks", "deploy please. Let me know when it's done", "ship it", "release tomorrow", "can I deploy?", "deploy to staging", "release v1.2.3", "release notes please",
		"if tests pass, release", "Tom, please deploy", "deploy the docs site", "help", "status", "who is deploying?", "stop", "cancel the release", "history", "what's pending", "retry",
		"roll back", "lock", "lock until 2pm", "unlock", "hello", "thanks",
	},
}

// wordParts are the parts of the page on what psycher understands.
func wordParts(root string) map[string]part {
	of := func(lang string, belongs func(deploy.Intent) bool, line func(text string, in deploy.Intent) string) (string, error) {
		all := ""
		for _, text := range said[lang] {
			in := words.Understand(markup.Parse(text), []deploy.Target{{Name: "app", Ref: "master"}}, nil)
			if belongs(in) {
				all += line(text, in)
			}
		}
		return all, nil
	}
	return map[string]part{
		"acts at once": func(lang, _ string) (string, error) {
			return of(lang, deploy.Intent.Deploys, func(text string, _ deploy.Intent) string { return "- " + text + "\n" })
		},
		"asks": func(lang, _ string) (string, error) {
			rows, err := of(lang, func(in deploy.Intent) bool { return in.Doubt != "" }, func(text string, in deploy.Intent) string {
				return fmt.Sprintf("| %s | %s |\n", text, in.Word)
			})
			return "| | |\n|---|---|\n" + rows, err
		},
		"commands": func(lang, _ string) (string, error) {
			rows, err := of(lang, func(in deploy.Intent) bool { return in.Doubt == "" && in.Kind != deploy.KindDeploy }, func(text string, in deploy.Intent) string {
				return fmt.Sprintf("| %s | `%s` |\n", text, in.Kind)
			})
			return "| | |\n|---|---|\n" + rows, err
		},
		"deploy words": func(string, string) (string, error) {
			var all []string
			for _, file := range []string{"bot/words/ja.txt", "bot/words/en.txt"} {
				raw, err := os.ReadFile(filepath.Join(root, file))
				if err != nil {
					return "", err
				}
				_, rule, _ := strings.Cut(string(raw), "\ndeploy:\t(")
				rule, _, _ = strings.Cut(rule, ")")
				all = append(all, strings.Split(rule, "|")...)
			}
			return codes(all) + "\n", nil
		},
	}
}
