package main

import (
	"fmt"
	"go/ast"
	"strings"
)

// wordParts are the parts of the page on what psycher understands, out of the
// tables that decide.
func (s source) wordParts() map[string]part {
	const pkg = "words"
	tables := s.values[pkg]
	list := func(words func(l speech) string) part {
		return func(lang, _ string) (string, error) { return words(speeches[lang]), nil }
	}
	return map[string]part{
		"deploy words": list(func(speech) string { return codes(s.words(pkg, tables["deployWords"])) + "\n" }),
		"near misses":  list(func(speech) string { return codes(s.words(pkg, tables["nearMisses"])) + "\n" }),
		"requests": list(func(l speech) string {
			return fmt.Sprintf(l.asks, codes(s.words(pkg, field(tables["requests"], "ja"))), codes(s.words(pkg, field(tables["requests"], "en"))))
		}),
		"lookalikes": list(func(l speech) string {
			lines := ""
			for i, kind := range []string{"start", "follows", "anywhere", "beside", "en"} {
				lines += "- " + l.lookalikes[i] + ": " + codes(s.words(pkg, field(tables["lookalikes"], kind))) + "\n"
			}
			return lines
		}),
		"holds": func(lang, _ string) (string, error) {
			return s.holds(pkg, tables["rules"].(*ast.CompositeLit), speeches[lang])
		},
	}
}

// holds are the tables of what holds a deploy back, a heading each.
func (s source) holds(pkg string, all *ast.CompositeLit, l speech) (text string, unknown error) {
	var sections []string
	for i, h := range all.Elts {
		said := func(name string) string {
			text := s.text(pkg, field(h, name))
			if field(h, name) == nil || l.of == nil {
				return strings.TrimPrefix(text, "…")
			}
			if l.of[text] == "" {
				unknown = fmt.Errorf("%q has no words in the page's language: add them to words.go", text)
			}
			return l.of[text]
		}
		section := fmt.Sprintf("### %d. %s\n\n"+l.answer, i+1, said("name"), s.text(pkg, field(h, "say")), l.where[name(field(h, "where"))])
		if field(h, "alsoBeside") != nil {
			section += l.near
		}
		if unless := said("unless"); unless != "" {
			section += fmt.Sprintf(l.unless, unless)
		}
		section += "\n\n"
		for _, item := range [][2]string{
			{l.ja, codes(s.words(pkg, field(h, "ja")))},
			{l.en, codes(s.words(pkg, field(h, "en")))},
			{l.shapes, said("shapes")},
			{l.such, "「" + strings.Join(s.words(pkg, field(h, "examples")), "」「") + "」"},
		} {
			if strings.Trim(item[1], "`「」") != "" {
				section += "- " + item[0] + ": " + item[1] + "\n"
			}
		}
		sections = append(sections, section)
	}
	return strings.Join(sections, "\n"), unknown
}

// speech is what the page says around the words, in one language.
type speech struct {
	answer, near, unless string // the first and the last are formats
	where                map[string]string
	ja, en, shapes, such string
	asks                 string // a format
	lookalikes           []string
	of                   map[string]string // what the tables say for people; nil: as it is
}

var speeches = map[string]speech{
	"en": {
		answer: "Answer: `%s`. %s", near: " Also in a few words right beside it: 「リリース、…」.", unless: " Not if %s.",
		where: map[string]string{
			"own":        "In the clause of the deploy word: Japanese after the deploy word, English anywhere.",
			"clauseWide": "In the clause of the deploy word, before or after it.",
			"anyClause":  "Anywhere in the mention.",
		},
		ja: "Japanese", en: "English", shapes: "By its form", such: "For example",
		asks: "- Japanese, after the deploy word: %s, and a clause that ends in `して`\n- English: %s\n",
		lookalikes: []string{
			"Japanese, at the start of a clause", "Japanese, after the deploy word", "Japanese, anywhere",
			"Japanese, in a clause without a deploy word", "English",
		},
	},
	"ja": {
		answer: "返事: `%s`。%s", near: "すぐ隣の短い文も見ます（「リリース、…」）。", unless: "ただし%s。",
		where: map[string]string{
			"own":        "デプロイの言葉と同じ文の中。日本語はそのうしろ、英語はどこでも。",
			"clauseWide": "デプロイの言葉と同じ文の中。前でもうしろでも。",
			"anyClause":  "メンションのどこでも。",
		},
		ja: "日本語", en: "英語", shapes: "形で", such: "たとえば",
		asks: "- 日本語、デプロイの言葉よりうしろ: %s、そして `して` で終わる文\n- 英語: %s\n",
		lookalikes: []string{
			"日本語、文の始め", "日本語、デプロイの言葉よりうしろ", "日本語、どこでも",
			"日本語、デプロイの言葉がない文", "英語",
		},
		of: inJapanese,
	},
}

var inJapanese = map[string]string{
	"Another thing than a deploy":                             "デプロイではないもの",
	"Stop or undo":                                            "止める、戻す",
	"The past, or the state of a deploy":                      "過去の話、デプロイの様子",
	"The past, or the state of a deploy, told after the word": "過去の話、デプロイの様子（デプロイの言葉のうしろ）",
	"A question how, who, whether":                            "どうやって、誰が、どうするかという質問",
	"A question whether, asked after the word":                "してよいかという質問（デプロイの言葉のうしろ）",
	"Negation":                              "打ち消し",
	"A condition":                           "条件",
	"A time or a plan":                      "時刻や予定",
	"A time or a plan, told after the word": "時刻や予定（デプロイの言葉のうしろ）",
	"A version, branch or environment":      "バージョン、ブランチ、環境",
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
	"the, a, this, our before the deploy word":                                            "デプロイの言葉の前に the、a、this、our",
	"the clause ends in ので, から and asks for nothing: リリースするので準備して":                        "「ので」「から」で終わり、何も頼んでいない文（リリースするので準備して）",
	"を and what is no way to ask for a deploy: リリースを確認して":                                 "「を」のあとが、デプロイの頼み方ではない（リリースを確認して）",
	"kanji or katakana right after the deploy word that ask for nothing: リリース祭り, リリースの確認": "デプロイの言葉のすぐあとに、頼みごとではない漢字やカタカナ（リリース祭り、リリースの確認）",
	"a name that another channel's target has: release api":                               "ほかのチャンネルのデプロイ先の名前（release api）",
}
