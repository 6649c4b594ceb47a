package cmd

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettingsPages(t *testing.T) {
	const begin, end = "<!-- settings: printed by go test ./cmd -run TestSettingsPages -update -->\n", "<!-- /settings -->"
	for name, table := range map[string]string{
		"README.md": SettingsTable(), "docs/SETTINGS.md": SettingsTable(),
		"README.ja.md": japaneseSettings(t), "docs/SETTINGS.ja.md": japaneseSettings(t),
	} {
		text := page(t, name)
		before, rest, _ := strings.Cut(text, begin)
		_, after, ok := strings.Cut(rest, end)
		if !ok {
			t.Fatalf("%s has no place for the table", name)
		}
		want := before + begin + table + end + after
		if *update {
			if err := os.WriteFile("../"+name, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if diff := cmp.Diff(want, text); diff != "" {
			t.Errorf("%s: run with -update: %s", name, diff)
		}
	}
}

// japaneseSettings is the table with its words in Japanese. They stand here,
// since the program itself says what a setting means in English alone.
func japaneseSettings(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| 変数 | 既定値 | 意味 |\n|---|---|---|\n")
	lines := strings.Split(strings.TrimSpace(SettingsTable()), "\n")[2:]
	for i, row := range table() {
		meaning := japaneseMeanings[row.name]
		if meaning == "" {
			t.Errorf("%s has no meaning in Japanese", row.name)
		}
		columns := strings.SplitN(lines[i], " | ", 3)
		columns[0] = strings.Replace(columns[0], "(secret)", "（秘密）", 1)
		if word := map[string]string{"required": "必須", "none": "なし"}[columns[1]]; word != "" {
			columns[1] = word
		}
		b.WriteString(columns[0] + " | " + columns[1] + " | " + meaning + " |\n")
	}
	return b.String()
}

var japaneseMeanings = map[string]string{
	"SLACK_APP_TOKEN":        "アプリレベルトークン `xapp-...`。スコープは `connections:write`",
	"SLACK_BOT_TOKEN":        "ボットトークン `xoxb-...`",
	"SLACK_API_URL":          "Slack の Web API の URL。変えるのはテストのときだけ",
	"SLACK_CONNECTIONS":      "このプロセスが張る websocket の数。1 から 5",
	"GITLAB_URL":             "GitLab の URL。パスが付いていてもよい",
	"GITLAB_TRIGGER_TOKENS":  "デプロイ先の表。どのチャンネルから何をデプロイできるかを JSON で書く",
	"GITLAB_API_TOKEN":       "スコープ `read_api` のトークン。返事の届かなかったパイプラインや、連絡のない結果を、GitLab に聞いて調べる",
	"GITLAB_REQUEST_TIMEOUT": "GitLab 自身のリクエストのタイムアウト。`1s` から `10m`。トリガーはこれより 5 秒長く待つ",
	"GITLAB_REF":             "デプロイするブランチかタグ。デプロイ先ごとにも決められる。メンションからは変えられない",
	"REDIS_URL":              "`redis://`、TLS なら `rediss://`。sentinel や cluster の形でもよい。パスワードの記号は `%XX` と書く。なければ内蔵の Redis を使う（1 プロセス限り、終了すると忘れる）",
	"REDIS_PREFIX":           "キーは `{psycher}:...` の形になる。ひとつの Redis を 2 つのボットで使うなら、名前を分ける",
	"NOTIFY_ADDR":            "通知ポートの `ホスト:ポート`。GitLab CI が呼ぶ。ホストを空にすると、すべてのアドレスで待つ",
	"NOTIFY_TOKEN":           "古いスクリプトのように `PSYCHER_TOKEN` を示さない GitLab CI からの呼び出しに付く、固定の秘密の文字列。英数字と `.`、`_`、`~`、`-` で 16 文字以上。なければ、自分のデプロイを証明する呼び出しだけを受け付ける",
	"NOTIFY_URL":             "GitLab の runner から見た通知ポート。`http://ホスト:8080/notify`。トリガーと一緒に送るので、プロジェクトに CI 変数を置かなくてよい",
	"MENTION_MAX_AGE":        "順番が来たとき、これより古いメンションはデプロイせずに聞き返す",
	"DEPLOY_TIMEOUT":         "パイプラインからの連絡を待つ時間。デプロイ先ごとの `timeout` もある",
	"ADMIN_ADDR":             "ヘルスチェックとメトリクスの `ホスト:ポート`",
	"PSYCHER_LANG":           "返事の言語。`ja` か `en`",
	"LOG_LEVEL":              "ログに出す最低のレベル。`trace`、`debug`、`info`、`warn`、`error`、`fatal`、`panic`、`disabled` のどれか",
	"LOG_FORMAT":             "`json`。人が読むなら `console`",
	"HTTPS_PROXY":            "`https` と `wss` のプロキシ。`http://` か `socks5://`。Slack の API、websocket、GitLab に使う",
	"HTTP_PROXY":             "`http` のときのプロキシ",
	"NO_PROXY":               "プロキシを通さない相手をカンマで区切る。ホスト（その下もすべて含む）、`.example.com`、アドレス、CIDR の範囲（どれも `:ポート` を付けられる）、または `*`",
	"SSL_CERT_FILE":          "Slack、GitLab、Redis について、システムのものに加えて信頼する認証局の PEM ファイル。`SSL_CERT_DIR` と両方あれば、システムのものの代わりになる",
	"SSL_CERT_DIR":           "同じく認証局のディレクトリ。`:` で区切る",
}
