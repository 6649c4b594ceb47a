package sandbox

import "github.com/getto-systems/psycher/internal/sandbox/fakegitlab"

// commits are those that the projects begin with, and those that people push later,
// over and over.
func commits(lang string) (begun, later []fakegitlab.Commit) {
	all := english
	if lang == "ja" {
		all = japanese
	}
	return all[:3], all[3:]
}

var japanese = []fakegitlab.Commit{
	{Title: "プロジェクトのひな形", Author: "yamada"},
	{Title: "ログイン画面を追加", Author: "sato"},
	{Title: "トップページの文言を修正", Author: "ito"},
	{Title: "ログイン画面の余白を修正", Author: "yamada"},
	{Title: "検索を速くする", Author: "ito"},
	{Title: "問い合わせフォームの文言修正", Author: "sato"},
	{Title: "CI のキャッシュを有効に", Author: "ito"},
	{Title: "請求書の日付がずれる不具合を修正", Author: "yamada"},
	{Title: "ライブラリの更新", Author: "sato"},
	{Title: "通知メールの件名を短く", Author: "yamada"},
	{Title: "画像の遅延読み込み", Author: "ito"},
	{Title: "404 ページを追加", Author: "sato"},
}

var english = []fakegitlab.Commit{
	{Title: "Set up the project", Author: "yamada"},
	{Title: "Add the login page", Author: "sato"},
	{Title: "Reword the front page", Author: "ito"},
	{Title: "Fix the margins of the login page", Author: "yamada"},
	{Title: "Make the search faster", Author: "ito"},
	{Title: "Fix typos in the contact form", Author: "sato"},
	{Title: "Cache the build in CI", Author: "ito"},
	{Title: "Fix dates on invoices", Author: "yamada"},
	{Title: "Update the libraries", Author: "sato"},
	{Title: "Shorten the subject of mails", Author: "yamada"},
	{Title: "Load images when they are seen", Author: "ito"},
	{Title: "Add a page for 404", Author: "sato"},
}
