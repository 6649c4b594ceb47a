package words

import "github.com/getto-systems/psycher/deploy"

// place is where in a mention a word must be to hold a deploy back.
type place int

const (
	// own: in the deploy word's own clause; Japanese after the deploy word
	// (predicates follow), English anywhere.
	own place = iota
	// clauseWide: anywhere in the deploy word's own clause, in Japanese too.
	clauseWide
	// anyClause: anywhere in the mention.
	anyClause
)

// rule is one reason not to deploy although there is a deploy word.
//
// In the words, % is an adjacent deploy word and # a number.
type rule struct {
	say        deploy.MessageID
	name       string // for people
	where      place
	unless     string // for people: what outweighs it, if anything
	asked      bool   // a request in the same clause outweighs it: please, お願い
	done       bool   // it may say when something else was done: 昨日マージした分
	alsoBeside bool   // also applies in a few words next to the clause: "リリース。明日で"
	ja, en     []string
	// shape finds what cannot be listed; shapes describes it for people.
	shape    func(*clause) (from, to int)
	shapes   string
	examples []string // sentences that it holds back
}

// rules is everything that holds a deploy back. The first that applies gives the
// answer: other deploys before this one, the certain before the doubtful.
var rules = []rule{
	{
		say: deploy.MsgOther, name: "Another thing than a deploy", where: own,
		ja: []string{
			"%ノート", "%日", "%版", "%手順", "%方法", "%計画", "%準備", "%判定", "%担当", "%内容", "%物", "%フロー",
			"%ブランチ", "%タグ", "%スケジュール", "%情報", "%履歴", "%ログ", "%候補", "%管理", "%資料", "%会議",
			"%用", "%先", "%キー", "%ツール", "%スクリプト", "%パイプライン", "%ジョブ", "%設定", "%環境", "%権限",
			"%漏れ", "%告知", "%案内", "%文", "%番号", "%メモ", "%バージョン", "%トークン", "%作業手順",
			"プレス%", "ニュース%", "プレ%", "テスト%", "仮%", "自動%", "カナリア%", "カナリー%", "ドライ%",
		},
		en: []string{
			"% note", "% notes", "% candidate", "% candidates", "% branch", "% date", "% day", "% plan", "% plans",
			"% train", "% manager", "% page", "% tag", "% version", "% schedule", "% process", "% procedure",
			"% script", "% scripts", "% key", "% keys", "% token", "% pipeline", "% job", "% log", "% logs", "% url",
			"% build", "% config", "% steps", "% guide", "% checklist", "% cycle", "% bot", "% channel", "% team",
			"% engineer", "% time", "% party", "% button", "% contents", "% frequency", "% policy", "% strategy", "% hook", "% server", "% command", "% dashboard",
			"% report", "% message", "% announcement", "% email", "% post", "% meeting", "% review", "% permission", "% permissions", "% window", "% freeze", "press %", "dry run", "dry-run",
		},
		examples: []string{"リリースノート書いて", "リリース日を決めたい", "デプロイ手順教えて", "release notes please", "cut a release candidate"},
	},
	{
		say: deploy.MsgStop, name: "Stop or undo", where: own, alsoBeside: true,
		ja: []string{
			"止め", "停止", "とめて", "ストップ", "中止", "中断", "キャンセル", "待って", "待った", "待ち", "待て", "待と", "まって", "まてよ",
			"延期", "見送", "見合わせ", "不要", "いらない", "要らない", "いりません", "要りません", "戻し", "戻せ", "戻す", "戻り", "もどし", "もどせ", "もどす",
			"ロールバック", "切り戻", "切戻", "取り消", "取消", "とりけし", "とりけす", "取りやめ", "取り止め", "とりやめ",
			"やめ", "辞め", "よして", "よせ", "保留", "ペンディング", "控え", "撤回", "差し止", "ブロック", "凍結", "フリーズ", "スキップ",
			"破棄", "却下", "再開", "パスで", "アボート", "やっぱなし", "🛑", "⛔", "🚫", "❌", "🙅",
		},
		en: []string{
			"stop", "stops", "stopped", "stopping", "cancel", "cancels", "canceled", "cancelled", "canceling", "cancelling",
			"abort", "aborted", "aborting", "hold", "on hold", "holding", "wait", "waiting", "revert", "reverted", "reverting",
			"rollback", "rolled back", "roll back", "roll it back", "rolling back", "undo", "undone", "halt", "halted",
			"pause", "paused", "postpone", "postponed", "defer", "deferred", "delay", "delayed", "skip", "suspend",
			"suspended", "freeze", "frozen", "block", "blocked", "blocking", "kill", "resume", "call off", "nvm", "nevermind",
			"never mind", "scratch that", "forget it",
		},
		examples: []string{"リリース待って", "さっきのリリース戻せる？", "デプロイは中止で", "hold the release", "can we undo the deploy?", "release. wait, stop"},
	},
	{
		say: deploy.MsgPast, name: "The past, or the state of a deploy", where: clauseWide,
		unless: "it only tells when something else was done: 昨日マージした分", done: true,
		ja: []string{
			"いつ", "さっき", "先ほど", "先程", "さきほど", "昨日", "きのう", "昨晩", "昨夜", "一昨日", "おととい", "先日",
			"先週", "先月", "前回", "この前", "以前", "過去", "前の%", "今の%",
		},
		en: []string{"yesterday", "last", "previous", "ago", "when is", "when was", "when did", "when will", "earlier"},
		examples: []string{
			"リリースいつ？", "昨日のリリースどうなった", "前回のデプロイを見せて", "when is the release?", "the last deploy",
		},
	},
	{
		say: deploy.MsgPast, name: "The past, or the state of a deploy, told after the word", where: own,
		unless: "a condition stands between: deploy once QA is done",
		ja: []string{
			"した", "しました", "ました", "してた", "してま", "してる", "していま", "していた", "している", "していな", "していて", "しちゃった", "しとる", "して良かった", "してよかった",
			"され", "済み", "済ん", "済です", "済?", "済。", "ずみ", "すみ", "終わ", "おわっ", "おわり", "終え", "終了", "完了",
			"失敗", "成功", "しくじ", "ありがと", "有難う", "有り難う", "サンキュ", "さんきゅ", "あざ", "感謝", "お疲れ", "おつかれ", "おつ",
			"状況", "状態", "進捗", "ステータス", "結果", "どうなっ", "どうだっ", "落ち", "壊れ", "こわれ", "こけ", "コケ", "転け",
			"エラー", "バグっ", "バグり", "固まっ", "動いて", "動かな", "動きま", "動かん", "止まっ", "走って", "走った", "走りま",
			"できた", "できて", "出来た", "出来て", "なった", "なって", "入った", "出た", "遅い", "遅く", "重い", "おかしい", "変です", "変だ",
			"通った", "通って", "来た", "来て", "行った", "やった", "やってる", "やってい", "やっちゃ", "かけた", "流した", "流れ", "回って", "始まっ", "始めた", "おめで",
			"すごい", "さすが", "忘れた", "忘れてた", "忘れてい", "忘れまし", "みた", "みました", "くれた", "もらった", "貰った", "いただいた", "頂いた", "ミス", "事故", "障害", "問題", "大変", "やば",
			"%中", "未%",
		},
		en: []string{
			"did", "didn't", "didnt", "was", "wasn't", "were", "weren't", "has", "hasn't", "had", "have you", "have we", "haven't",
			"failed", "fail", "fails", "failing", "failure", "thanks for", "thank you for", "thx for", "ty for", "status",
			"done", "finished", "finish", "finishes", "succeeded", "success", "successful", "broken", "broke", "breaks",
			"error", "errors", "completed", "complete", "stuck", "crashed", "crash", "happened", "happening", "happens", "ongoing",
			"in progress", "went", "already", "been", "went out", "started", "running", "worked", "caused", "look", "looked", "took", "takes",
			"ended", "progress", "result", "results", "congrats", "congratulations", "kudos", "nice", "great", "bad",
		},
		examples: []string{
			"リリースした？", "リリースありがとう！", "リリース失敗してる", "デプロイ終わった", "リリースされてる？", "デプロイ中？",
			"deploy failed", "did the deploy finish?", "thanks for the release", "release is broken",
		},
	},
	{
		say: deploy.MsgHow, name: "A question how, who, whether", where: clauseWide,
		ja: []string{
			"どうやって", "どうすれば", "どうしたら", "どうやれば", "どのように", "どうする", "どうしよ", "どうです", "どうでしょ", "どうなの", "どうなん", "どうか",
			"どう?", "どの", "どれ", "どこ", "どっち", "どちら", "なに", "何が", "何を", "何で", "何の", "何時", "何分", "なぜ", "何故", "なんで", "誰", "だれ", "どなた",
			"🤔",
		},
		en: []string{
			"how", "how's", "who", "who's", "whose", "why", "what", "what's", "which", "where", "where's", "whether", "may i", "may we", "can i", "can we", "could i",
			"could we", "should", "shall", "is it ok", "is it okay", "ok to", "okay to", "fine to", "safe to", "ready to", "able to", "possible",
			"allowed", "do you", "do we", "do i", "does", "supposed", "wonder", "wondering", "think", "guess", "maybe", "perhaps", "might",
			"explain", "teach", "tell", "show", "help", "about", "question", "curious", "discuss", "talk", "review", "check", "see", "read", "watch", "prepare",
			"announce", "write", "verify", "monitor", "approve", "create", "fix the %", "fix our %", "fix my %", "update the %", "🤔",
		},
		examples: []string{"どうやってデプロイするの", "誰がリリースする？", "リリースどうしよう", "how do I deploy?", "should we release?", "who runs the deploy?"},
	},
	{
		say: deploy.MsgHow, name: "A question whether, asked after the word", where: own,
		ja: []string{
			"していい", "して良い", "してよい", "してよろし", "して大丈夫", "してok", "して問題", "してもいい", "しても良", "してもよ", "しても大丈夫", "しても問題", "しても構", "してもかま", "してもok", "しても平気", "しても安全", "して構", "してかま", "して平気", "させて", "させていただ",
			"できる?", "できるか", "できるの", "できるん", "できます", "できるよう", "できるかな", "出来る", "出来ます", "できる状", "可能", "大丈夫です", "大丈夫?",
			"べき", "必要", "ほうが", "方が", "んじゃ", "のでは", "つもり", "かも", "かどうか", "だろう", "かしら", "教え", "おしえ",
			"いける", "やり方", "仕方", "しかた", "って何", "とは", "について", "に関し", "相談", "質問", "わから", "分から", "わかん", "知り", "知って", "聞き",
			"見せ", "見たい", "考え", "思う", "思って", "検討", "迷", "悩", "手伝", "怖", "こわい", "すると", "する前", "する時", "するとき", "する際", "する人",
			"するため", "するの", "するん", "すること", "するもの", "したほう", "した方", "タイミング", "しなきゃ", "せな", "せにゃ", "欲しい人", "ほしい人", "言って", "伝え", "お祝", "立ち会", "立会", "見守", "判断", "許可", "承認", "嫌", "いやだ", "やだ", "むずい", "難し", "むずかし",
		},
		examples: []string{"リリースしていい？", "デプロイしてもよろしいですか", "リリースすべき？", "リリースできますか", "リリースするかも"},
	},
	{
		say: deploy.MsgNegated, name: "Negation", where: own, alsoBeside: true,
		ja: []string{
			"ない", "ません", "しなくて", "するな", "すんな", "せんと", "しちゃだ", "しちゃダ", "しちゃ駄", "しちゃい", "しては", "禁止", "ダメ", "だめ", "駄目", "無理", "むり", "なし", "無し", "ナシ",
			"せず", "あかん", "アカン", "ならん", "ぬよう", "危険", "ではなく", "じゃなく", "でなく", "うそ", "嘘", "冗談", "なんちゃって",
		},
		en: []string{
			"don't", "dont", "not", "never", "can't", "cant", "cannot", "won't", "wont", "wouldn't", "couldn't", "shouldn't", "shouldnt",
			"mustn't", "isn't", "isnt", "aren't", "doesn't", "doesnt", "ain't", "needn't", "no", "nope", "nah", "neither", "nor", "without", "nobody", "none", "ng", "except", "forbid", "forbidden", "kidding", "just kidding", "jk", "joking",
			"avoid", "refuse", "instead",
		},
		examples: []string{"リリースしないで", "デプロイしちゃダメ", "今はリリースできません", "don’t release", "we can't release today", "let's not deploy", "not yet, deploy later"},
	},
	{
		say: deploy.MsgLater, name: "A condition", where: anyClause,
		ja: []string{
			"たら", "だら", "えば", "けば", "げば", "せば", "てば", "ねば", "べば", "めば", "れば", "なら", "次第", "場合", "てから", "時点で", "後に", "あとに", "たあと", "た後", "ほど待",
		},
		en: conditionsEN,
		examples: []string{
			"テスト通ったらリリースして", "リリースして。ただしテストが通れば", "レビュー完了次第デプロイ", "if tests pass, release", "deploy once QA is done",
		},
	},
	{
		say: deploy.MsgLater, name: "A time or a plan", where: clauseWide, alsoBeside: true,
		unless: "it only tells when something else was done: 今日マージした分", done: true,
		ja: []string{
			"明日", "あした", "あす", "明後日", "あさって", "明朝", "明晩", "翌", "来週", "来月", "来年", "再来", "今週", "今月", "今夜", "今晩", "今夕",
			"今日", "きょう", "本日", "今朝", "夕方", "夜", "朝", "昼", "午前", "午後", "正午", "深夜", "週末", "週明け", "週あけ", "月曜", "火曜", "水曜", "木曜", "金曜",
			"土曜", "日曜", "月末", "月初", "あとで", "後で", "のちほど", "後ほど", "そのうち", "いずれ", "いつか", "近々", "近日", "近いうち", "将来", "頃", "ごろ",
			"予定", "予約", "定時", "次回", "次の%", "来期", "しばらく", "もう少し", "もうちょっと", "もうすぐ", "そろそろ", "今後", "今度", "また今度", "連休", "休み明け",
			"#時", "#日", "#月", "#分後", "#時間", "#分に", "#分頃", "#分から", "#分まで", "一時", "二時", "三時", "四時", "五時", "六時", "七時", "八時", "九時", "十時", "時半", "まだ今", "今じゃな", "今では",
		},
		en: []string{
			"tomorrow", "tmr", "tmrw", "tonight", "later", "today", "morning", "noon", "afternoon", "evening", "night", "midnight", "monday", "tuesday",
			"wednesday", "thursday", "friday", "saturday", "sunday", "mondays", "fridays", "mon", "tue", "wed", "thu", "fri", "weekend", "week", "month", "year", "next", "soon", "minute", "minutes", "mins", "min", "hour", "hours", "days",
			"eod", "eow", "plan", "plans", "planned", "planning", "schedule", "scheduled", "going to", "gonna", "will", "i'll", "we'll", "upcoming", "before", "at #", "by #", "in #",
			"around #", "# o'clock", "daily", "weekly", "someday", "eventually", "during", "sometime", "jst", "utc", "lunch",
		},
		shape: (*clause).clock, shapes: "a time of day or a date: 18:00, 6pm, 12/25, 2030-01-31",
		examples: []string{"明日の朝リリースお願い", "明日、リリースお願いします", "18時にリリースして", "リリースお願いします。来週で", "deploy at 6pm", "release tomorrow", "release tonight please"},
	},
	{
		say: deploy.MsgLater, name: "A time or a plan, told after the word", where: own,
		ja:       []string{"計画", "スケジュール", "まで待", "までに", "%後", "%前", "%時に", "%時の", "するから", "しますから", "タイムリー"},
		examples: []string{"リリース後に連絡します", "デプロイ前に確認します"},
	},
	{
		say: deploy.MsgOther, name: environments, where: clauseWide, alsoBeside: true,
		ja: environmentsJA, en: environmentsEN,
		shape: (*clause).version, shapes: "a version (v1.2.3, 1.2.3), a branch (feature/x), a commit (3f2a9c1)",
		examples: []string{"stagingにデプロイ", "検証環境にデプロイして", "feature/x をデプロイして", "release v1.2.3", "deploy `develop`", "deploy to stg please"},
	},
	{
		say: deploy.MsgPast, name: "Still, not yet, is, are: the state, where nothing is asked for", where: own,
		unless: "something is asked for", asked: true,
		ja: []string{"まだ", "もう"},
		en: []string{
			"is", "are", "looks", "seems", "yet", "still", "thanks", "thank you", "thx", "works", "it's", "that's", "there's", "am", "i'm",
		},
		examples: []string{"リリースまだ？", "デプロイはまだです", "is the release out?", "the deploy is green"},
	},
	{
		say: deploy.MsgHow, name: "A doubt: a statement or a bare question", where: own, unless: "something is asked for", asked: true,
		ja: []string{
			"%は", "%が", "%って", "%に", "%で", "%と", "%も", "%や", "%から", "%より", "%まで", "%へ", "%だけ", "%とか", "%など", "%しか", "%の",
			"かな", "よね", "たいな", "たいけ", "たいん", "たいの", "たいが", "たいですが", "いいです", "いい?", "いいか", "よいです", "よい?", "よろしいです", "よろしいで", "でしょう", "ですか", "ますか",
		},
		en: []string{
			"to %", "every %", "each %", "any %", "some %", "i %", "we %", "they %", "he %", "she %", "you %", "can %", "may %", "would %", "could %",
			"on %", "for %", "of %", "in %", "since %", "from %", "with %", "by %", "as %", "need", "needs", "needed", "have to", "has to", "must", "ought", "% day", "or %", "trying", "learn", "% yesterday",
			"% works", "forgot", "remember", "hope", "hopefully", "want", "waiting", "like",
		},
		shape: (*clause).bareQuestion, shapes: "a question that asks for nothing: リリース？, release?",
		examples: []string{"リリース？", "リリースは明るい", "リリースが遅れそう", "release?", "we release by hand", "ready for release"},
	},
	{
		say: deploy.MsgHow, name: "A doubt: the word as a thing", where: own,
		unless: "the thing is to be done: do the deploy, please run a release",
		shape:  (*clause).nounUse, shapes: "the, a, this, our before the deploy word",
		examples: []string{"the release surprised everybody", "our deploy surprised us"},
	},
	{
		say: deploy.MsgHow, name: "A doubt: a reason for something else", where: own,
		shape: (*clause).reason, shapes: "the clause ends in ので, から and asks for nothing: リリースするので準備して",
		examples: []string{"リリースするので準備して", "デプロイが必要なので見てください"},
	},
	{
		say: deploy.MsgHow, name: "A doubt: something else is to be done about it", where: own,
		shape: (*clause).object, shapes: "を and what is no way to ask for a deploy: リリースを確認して",
		examples: []string{"リリースを確認してください", "リリースを楽しみに"},
	},
	{
		say: deploy.MsgOther, name: "A doubt: a longer word", where: own,
		shape: (*clause).compound, shapes: "kanji or katakana right after the deploy word that ask for nothing: リリース祭り, リリースの確認",
		examples: []string{"リリース祭り", "リリースの確認をお願いします", "デプロイ大臣"},
	},
	{
		say: deploy.MsgOther, name: "A target of another channel", where: clauseWide, alsoBeside: true,
		shape: (*clause).foreignTarget, shapes: "a name that another channel's target has: release api",
	},
}
