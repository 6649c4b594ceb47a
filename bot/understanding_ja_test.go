package bot

import (
	"fmt"
	"strings"
	"testing"
)

// japaneseUnderstanding is the page in Japanese, out of the same tables. What
// these say for people in English, it says by inJapanese.
func japaneseUnderstanding(t *testing.T) string {
	t.Helper()
	ja := func(text string) string {
		if inJapanese[text] == "" {
			t.Errorf("%q has no words in Japanese", text)
		}
		return inJapanese[text]
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# psycher がわかる言葉

[English](UNDERSTANDING.md)

<!-- Printed from the tables in bot/ by: go test ./bot -run Understanding -update-understanding -->

メンションにこの言葉があれば、デプロイします: %s。
日本語の言葉はどこにあっても、英語の言葉は単語としてあれば数えます。半角と全角、大文字と小文字は区別しません。
言葉がなければデプロイはせず、%s があればあいさつを返し、それ以外は「わかりません」と返します。

コードの中、引用の中（「」『』"" と引用行）、取り消し線の中、リンクのアドレス、絵文字の名前、もっと長い単語（%s）、
チャンネルのデプロイ先の名前にあるものは数えません。

## どれをデプロイするか

チャンネルのデプロイ先がひとつなら、それです。いくつかあるなら、メンションにちょうどひとつ名前を書いてください。
そうでなければ、どれなのかを聞き返します。長い名前の一部は名前とみなしません（%s）。
かなや漢字の名前は、どこにあっても見つけます。長い名前が優先です。コードや引用の中に名前だけがあれば、それも名前です。

## デプロイしないとき

余計なデプロイは本番に響きますが、余計な質問は 1 行で済みます。だから、迷ったら聞き返します。文は 、。！？ , . ; と
行の終わり、「ので」、理由の「から」、英語の so で区切って読みます。いくつも当てはまるときは、番号の小さいものが答えを決めます。
前のデプロイの話は、そのあとの文ではっきり頼んであれば邪魔をしません: 「昨日のリリースは失敗でした。もう一度リリースしてください」

`, codes(deployWords), "`よろ`", "`released`、`pre-release` など", "`app` は `app-web` や `webapp` の中では数えません")
	tableWords{
		answer: "返事: `%s`。%s", near: "すぐ隣の短い文も見ます（「リリース、…」）。", unless: "ただし%s。",
		ja: "日本語", en: "英語", shapes: "形で", such: "たとえば",
		where: map[place]string{
			own:        "言葉と同じ文の中。日本語は言葉よりうしろ、英語はどこでも。",
			clauseWide: "言葉と同じ文の中。前でもうしろでも。",
			anyClause:  "メンションのどこでも。",
		},
		marks:      "`%` はすぐ隣にあるデプロイの言葉、`#` は数、最後の `?` は質問の終わりです。",
		lookalikes: "## 似ているだけのもの\n\n上の言葉を含んでいても、これらは邪魔をしません。`|` があるものは、その前だけを読み飛ばします。",
		start:      "日本語、文の始め", follows: "日本語、言葉よりうしろ", anywhere: "日本語、どこでも",
		beside: "日本語、デプロイの言葉がない文", english: "英語",
		of: ja,
	}.writeTo(&b)
	b.WriteString("\n## 頼む言葉\n\nこれらがあれば頼みごとと読み、迷いは消えます。\n\n")
	fmt.Fprintf(&b, "- 日本語、言葉よりうしろ: %s、そして `して` で終わる文\n", codes(requests.ja))
	fmt.Fprintf(&b, "- 英語: %s\n", codes(requests.en))
	b.WriteString("\n## 打ち間違い\n\nデプロイの言葉がなくてこれがあると、「もしかして」と聞き返します。\n\n")
	b.WriteString(codes(nearMisses) + "\n")
	return b.String()
}

var inJapanese = map[string]string{
	"Another thing than a deploy":                             "デプロイではないもの",
	"Stop or undo":                                            "止める、戻す",
	"The past, or the state of a deploy":                      "過去の話、デプロイの様子",
	"The past, or the state of a deploy, told after the word": "過去の話、デプロイの様子（言葉のうしろ）",
	"A question how, who, whether":                            "どうやって、誰が、どうするかという質問",
	"A question whether, asked after the word":                "してよいかという質問（言葉のうしろ）",
	"Negation":                              "打ち消し",
	"A condition":                           "条件",
	"A time or a plan":                      "時刻や予定",
	"A time or a plan, told after the word": "時刻や予定（言葉のうしろ）",
	environments:                            "バージョン、ブランチ、環境",
	"Still, not yet, is, are: the state, where nothing is asked for":                      "まだ、もう、is、are: 頼んでいない、様子の話",
	"A doubt: a statement or a bare question":                                             "迷い: ただの文、ただの質問",
	"A doubt: the word as a thing":                                                        "迷い: 物として言っている",
	"A doubt: a reason for something else":                                                "迷い: ほかのことの理由",
	"A doubt: something else is to be done about it":                                      "迷い: デプロイについて、ほかのことをする",
	"A doubt: a longer word":                                                              "迷い: もっと長い言葉",
	"A target of another channel":                                                         "ほかのチャンネルのデプロイ先",
	"it only tells when something else was done: 昨日マージした分":                                "、ほかのことがいつ済んだかを言うだけなら別です（昨日マージした分）",
	"it only tells when something else was done: 今日マージした分":                                "、ほかのことがいつ済んだかを言うだけなら別です（今日マージした分）",
	"a condition stands between: deploy once QA is done":                                  "、間に条件があれば別です（deploy once QA is done）",
	"something is asked for":                                                              "、何かを頼んでいれば別です",
	"the thing is to be done: do the deploy, please run a release":                        "、それをすると言っていれば別です（do the deploy、please run a release）",
	"a time of day or a date: 18:00, 6pm, 12/25, 2030-01-31":                              "時刻や日付（18:00、6pm、12/25、2030-01-31）",
	"a version (v1.2.3, 1.2.3), a branch (feature/x), a commit (3f2a9c1)":                 "バージョン（v1.2.3、1.2.3）、ブランチ（feature/x）、コミット（3f2a9c1）",
	"a question that asks for nothing: リリース？, release?":                                   "何も頼んでいない質問（リリース？、release?）",
	"the, a, this, our before the deploy word":                                            "言葉の前に the、a、this、our",
	"the clause ends in ので, から and asks for nothing: リリースするので準備して":                        "「ので」「から」で終わり、何も頼んでいない文（リリースするので準備して）",
	"を and what is no way to ask for a deploy: リリースを確認して":                                 "「を」のあとが、デプロイの頼み方ではない（リリースを確認して）",
	"kanji or katakana right after the deploy word that ask for nothing: リリース祭り, リリースの確認": "言葉のすぐあとに、頼みごとではない漢字やカタカナ（リリース祭り、リリースの確認）",
	"a name that another channel's target has: release api":                               "ほかのチャンネルのデプロイ先の名前（release api）",
}
