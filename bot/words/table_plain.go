package words

// deployWords ask for a deploy: Japanese anywhere, English as whole words.
var deployWords = []string{"リリース", "デプロイ", "release", "deploy"}

// nearMisses are words that were surely meant to be a deploy word, and are none.
var nearMisses = []string{
	"リリ一ス", "リリ-ス", "リリ−ス", "リリ―ス", "リリ—ス", "リリ–ス", "リリ─ス", "リリ~ス", "リリ〜ス", "リリイス", "リリィス", "リリーズ",
	"リリス", "リーリス", "リリズ", "リリーシ", "リリー酢", "リリエース", "りりーす", "りりース", "リりース", "りリース", "りりいす", "りりす", "リリーす",
	"デブロイ", "テプロイ", "デプロィ", "ディプロイ", "デフロイ", "デプイロ", "デロプイ", "デプロオ", "テブロイ", "デプロー", "でぷろい", "でプロイ", "デプロい",
	"relase", "realease", "releese", "relese", "rlease", "releas", "realese", "relaese", "reelase", "releae", "releaze", "erlease", "relesae",
	"releasse", "rellease", "releaase", "rekease", "releast", "re-release", "rerelease", "releaes", "releade", "reease", "relrase",
	"depoly", "deplot", "delpoy", "deply", "dploy", "deploi", "depl0y", "depoy", "deplyo", "edploy", "deeploy", "ddeploy", "deplpy", "depliy",
	"deployy", "deplooy", "dpeloy", "dpeoly", "deolpy", "depploy", "deplloy", "redeploy", "re-deploy", "deploymet", "deployment",
}

// requests ask for something. They outweigh a mere doubt.
var requests = struct{ ja, en []string }{
	ja: []string{
		"お願い", "おねがい", "オネガイ", "お願", "願い", "願え", "オナシャス", "おなしゃす", "頼", "たのむ", "たのん", "たのみ", "よろしく", "宜しく", "よろです", "よろー", "ヨロ", "夜露死苦",
		"ください", "下さい", "くださ", "くれ", "もらえ", "もらっ", "貰え", "貰っ", "いただ", "頂", "ほしい", "欲しい", "希望", "プリーズ", "ぷりーず", "どうぞ", "やろう", "依頼",
	},
	en: []string{
		"please", "pls", "plz", "plse", "pleas", "can you", "could you", "would you", "will you", "can u", "could u", "can ya", "kindly", "you can", "you may",
		"i'd like", "i want", "we want", "we'd like", "would like", "i need you", "need a %", "go ahead", "let's", "lets",
	},
}

// lookalikes are words that only look as if they held something back: they are
// blanked before anything is looked for. What stands after a | only has to follow.
var lookalikes = struct{ start, follows, anywhere, beside, en []string }{
	// At the start of a clause.
	start: []string{
		"できれば", "出来れば", "可能であれば", "可能なら", "可能でしたら", "よろしければ", "お手すきでしたら", "お手隙でしたら", "お手すきの際に", "お手隙の際に",
		"差し支えなければ", "お手数でなければ", "どうか", "お時間ありましたら", "お時間あれば", "例えば",
	},
	// After the deploy word.
	follows: []string{
		"できましたら幸い", "お願いできましたら", "お願いできたら", "お願いできれば", "お願い出来れば", "いただければ", "いただけれ", "頂ければ", "もらえれば", "貰えれば", "くれれば", "いただけましたら",
		"頂けましたら", "いただけたら", "頂けたら", "もらえたら", "貰えたら", "くれたら", "もらえると", "いただけると", "頂けると", "くれると",
		"お願いできます", "お願い出来ます", "お願いできる", "お願い出来る", "お願いできない", "お願い出来ない", "お願いできません", "お願い出来ません", "お願いしても", "お願いでき", "頼めます", "頼める",
		"くれない", "くれません", "もらえない", "もらえません", "貰えない", "貰えません", "いただけない", "いただけません", "頂けない", "頂けません", "もらっても", "もらっていい", "もらって良い",
		"いただいても", "頂いても", "いただいてよろし", "し|たい", "し|たく", "していた|だ", "をはやめに", "もう一", "もう1", "もういっ", "もっかい",
		"お願い可能", "お願いすることは可能", "お願いして大丈夫", "お願いしていい", "お願いして良い", "お願いしてよろし", "お願いして問題", "頼んで大丈夫", "もらうことは可能", "いただくことは可能", "頂くことは可能",
		"もらうことはできます", "いただくことはできます", "頂くことはできます", "もらうことできます", "いただくことできます", "すみやか",
	},
	anywhere: []string{
		"予定通り", "予定どおり", "予定とおり", "予定のとおり", "予定の通り", "いつも", "すみません", "すいません", "申し訳ありません", "申し訳ございません", "問題ありません", "問題ない", "問題なし", "問題無し", "問題なさ",
		"間違いない", "かまいません", "もったいない", "さようなら", "ならび", "ならない", "たらし", "最後に", "今後とも", "夜分", "どうも", "どうぞ", "なんとか", "何とか", "何卒", "一時的",
		"特にない", "異議なし", "指摘なし", "急がない", "本番環境", "プロダクション環境", "朝早く", "朝から", "例えば", "たとえば", "ってば", "さよなら", "今度こそ",
	},
	// In a clause beside that of the deploy word.
	beside: []string{
		"終わったら教えて", "終わったら連絡して", "終わったら連絡くだ", "終わったら連絡下", "終わったら連絡お願", "終わったら知らせて", "終わったら報告", "完了したら教えて", "完了したら連絡くだ", "完了したら連絡お願", "できたら教えて", "済んだら教えて",
		"終わりましたら教えて", "終わりましたらご連絡", "終わりましたら連絡", "完了しましたら教えて", "完了しましたらご連絡", "完了しましたら連絡", "完了次第ご連絡", "完了次第連絡",
		"何かあったら", "何かあれば", "何かありましたら", "何かございましたら", "問題あれば", "問題があれば", "問題あったら", "問題があったら", "問題ありましたら", "問題がありましたら", "不明点あれば", "不明点があれば", "不明点ありましたら",
	},
	en: []string{
		"when you can", "when you get a chance", "when you get a sec", "when you get a moment", "when you have a moment", "when you have a minute", "when you have a sec", "when you have a chance", "when you have time",
		"when possible", "whenever you can", "if you can", "if you could", "if possible", "if you don't mind", "if you would", "if you have time", "if that's ok", "once more", "once again", "one more time",
		"one last time", "at once", "no problem", "no problems", "no worries", "no rush", "no hurry", "no issues", "no issue", "no objections", "no blockers", "don't worry", "not urgent", "as soon as possible", "soon as possible", "thanks in advance", "thank you in advance", "as planned",
		"as scheduled", "on schedule", "according to plan", "good morning", "good afternoon", "good evening", "good day", "good night", "would you mind", "will you",
		"let me know when", "let me know if", "let me know once", "let me know after", "let us know when", "let us know if", "let us know once", "tell me when", "tell me once", "tell us when", "ping me when", "ping me once", "ping us when", "notify me when", "notify us when",
	},
}

// follow are beginnings of kanji and katakana that may stand right after a
// deploy word, or after it and の, without making a longer word of it.
var follow = []string{
	"願", "頼", "希望", "依頼", "作業お", "作業を", "作業よ", "作業頼", "対応", "実行", "実施", "開始", "処理", "宜", "下さい", "今", "急", "早", "至急", "緊急", "大至急", "即", "速", "再", "何卒", "是非", "全",
	"本番", "最新", "致", "行", "進", "方", "程", "件お", "件よ", "件宜", "件頼", "件、", "祈願", "可", "一丁", "一発", "一回", "一つ", "両方", "夜露死苦", "押", "流", "走ら", "回し", "回せ", "出し", "打", "笑",
	"ヨロ", "リトライ", "オネガイ", "オナシャス", "プリーズ", "シテ", "ゴー", "スタート", "サクッ", "ガッ", "ポチ", "バシッ", "ドン", "メント", "ヲ", "ヨ", "ー", "オッケ",
}

// notElsewhere are words that a request is made of: a target of another channel
// of that name is not meant by them.
var notElsewhere = []string{
	"please", "pls", "plz", "now", "the", "it", "to", "and", "can", "you", "could", "would", "a", "this", "that", "again", "go", "production", "prod", "本番", "お願い", "release", "deploy", "リリース", "デプロイ",
}

// serverNames may go on with a number or a place: staging2, dev-eu.
var serverNames = []string{"staging", "stg", "dev", "qa", "uat", "preprod", "sandbox", "demo", "canary", "preview"}

const environments = "A version, branch or environment"

var (
	environmentsJA = []string{
		"ステージング", "ステージ環境", "検証環境", "検証に", "検証へ", "検証機", "テスト環境", "テストに", "テストへ", "開発環境", "開発に", "開発へ", "開発版", "開発機",
		"評価環境", "ローカル", "サンドボックス", "プレビュー", "ブランチ", "タグ", "バージョン", "コミット", "デモ環境", "プレ本番", "準本番", "別環境", "環境", "ベータ", "アルファ版", "カナリア", "検証サーバ", "テストサーバ",
	}
	environmentsEN = []string{
		"staging", "stage", "stg", "dev", "develop", "development", "test", "testing", "qa", "uat", "sandbox", "preview", "pre-production",
		"preprod", "pre-prod", "preproduction", "demo", "local", "localhost", "canary", "beta", "alpha", "rc", "branch", "branches", "tag", "tags", "commit", "sha", "hash", "version",
		"ver", "main", "master", "trunk", "head", "snapshot", "nightly",
	}
)

var conditionsEN = []string{"if", "once", "after", "until", "till", "til", "unless", "when", "whenever", "as soon as", "while", "assuming", "provided", "depending"}

// object are beginnings of what may stand after a deploy word and を to ask for a deploy.
var object = []string{
	"お願", "おね", "おなが", "頼", "たの", "願", "希望", "依頼", "実行", "実施", "開始", "始め", "はじめ", "し", "す", "せよ", "やっ", "や", "行", "おこな", "いこ", "進", "急", "いそ", "早", "はや", "はよ", "今", "いま", "本番",
	"至急", "大至急", "緊急", "即", "速", "是非", "ぜひ", "どうぞ", "どうか", "いただ", "頂", "もら", "貰", "くだ", "下さ", "くれ", "よろ", "宜", "かけ", "掛け", "回", "まわ", "流", "なが", "走ら", "走っ", "出", "だし", "打", "押",
	"再", "もう", "もっ", "何卒", "なにとぞ", "全", "手動", "ほし", "欲し", "キック", "スタート", "トリガ", "プリーズ", "ゴー", "ヨロ", "可", "一つ", "ひとつ", "一丁", "一発", "忘れず", "確実", "きちん", "ちゃん", "とり", "さくっ", "サクッ",
}
