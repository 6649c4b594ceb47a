package phrases

import "github.com/getto-systems/psycher/deploy"

// japanese holds every wording in Japanese. To add one, add a string: which of
// them is said is left to chance. docs/PHRASES.md shows them all, and explains
// the {placeholders} and the [brackets].
func japanese() language {
	return language{
		release: "リリース",
		to:      " さん、",
		name:    "◯◯",
		last: map[deploy.State]string{
			deploy.Accepted:   "いま受け付けたところです",
			deploy.Answered:   "取り下げられています",
			deploy.Triggering: "いま始めるところです",
			deploy.Waiting:    "GitLab が受け付けてくれるのを待っています",
			deploy.Unsure:     "始まったかどうか、まだわかっていません",
			deploy.Running:    "いま進行中です",
			deploy.Silent:     "結果の連絡がまだ来ていません",
			deploy.Refused:    "始められませんでした",
			deploy.Succeeded:  "成功しています",
			deploy.Failed:     "失敗しています",
			deploy.Canceled:   "キャンセルされています",
		},
		says: map[deploy.MessageID][]string{
			// Answers that deploy nothing.
			deploy.MsgGreet: {
				"どもども！ リリースならおまかせを。「{write}」の一言で動きます。",
				"こちらこそ、よろしくです！ ボタンを押す準備はできてます。",
				"よろしくどうぞ！ 「{write}」と言われるのを、いまかいまかと待ってます。",
				"やあやあ、よろしくお願いします。今日も元気にリリースしましょう！",
			},
			deploy.MsgUnknown: {
				"はて？ 「{write}」なら得意なんですけど……。",
				"うーん、わかりませんでした！ 私の芸はひとつだけ、「{write}」です。",
				"すみません、いまのは難しかったです。「{write}」と書いてもらえたら、はりきって動きます。",
				"聞こえてはいるんです、聞こえては。「{write}」ならわかります！",
			},
			deploy.MsgNoTarget: {
				"このチャンネルには、リリースするものがまだ設定されていません。\npsycher の管理者に頼んで、設定 `GITLAB_TRIGGER_TOKENS` にこのチャンネルを足してもらってください。",
				"リリースしたいのですが、このチャンネルで何を出すのか聞いていません。\n設定 `GITLAB_TRIGGER_TOKENS` にこのチャンネルが入るよう、psycher の管理者に頼んでみてください。",
			},
			deploy.MsgWhichTarget: {
				"どれをリリースしましょう？[ ここにあるのは {targets} です。「{example}」のように、ひとつだけ書いてください。| 名前をひとつ添えて書いてください。]",
				"リリースするのは[{targets} の]どれでしょう？ 名前をひとつ添えて[、「{example}」みたいに]書いてもらえれば、すぐ始めます。",
				"おっと、どれのことでしょう？[ {targets} からひとつ選んで、「{example}」のように書いてください。| 名前をひとつ添えてください。]",
			},
			deploy.MsgStop: {
				"[「{word}」ですね。]新しくは何も始めていません。[止めるのもやり直すのも、GitLab の{link:直近のパイプライン}からお願いします。|このチャンネルで動いているリリースは、私の知るかぎりありません。]\nリリースするなら「{write}」とだけ書いてください。",
				"新しくは何も始めていません。[止めるのは私にはできないので、{link:直近のパイプライン}を GitLab で止めるか、やり直してください。|動いているリリースも、このチャンネルでは見当たりません。]\nリリースするときは「{write}」とだけどうぞ。",
				"何も始めていません。[止めたい、戻したいのが{link:直近のパイプライン}なら、GitLab で操作してください。|このチャンネルで動いているものは、私の知るかぎりありません。]\nリリースするなら「{write}」とだけ書いてください。",
			},
			deploy.MsgNegated: {
				"[「{word}」と読めたので、]何も始めていません。\nリリースするなら「{write}」とだけ書いてください。",
				"はい、何も始めていません。\n気が変わったら「{write}」とだけ書いてください。",
				"了解です、じっとしてます。何も始めていません。\nリリースするときは「{write}」とだけどうぞ。",
			},
			deploy.MsgPast: {
				"[{target} の直近のリリースは{last}（{link:パイプライン}）。|{target} の直近のリリースは{last}。|直近のリリースは{last}。|{target} は、まだ一度もリリースしていません（私の知るかぎり）。|まだ一度もリリースしていません（私の知るかぎり）。]\n新しくは何も始めていません。リリースするなら「{write}」とだけ書いてください。",
				"何も始めていません。[いちばん新しい {target} のリリースは{last}（{link:パイプライン}）。|いちばん新しい {target} のリリースは{last}。|いちばん新しいリリースは{last}。|{target} のリリースの記録は、まだありません。|リリースの記録は、まだありません。]\n新しく始めるなら「{write}」とだけどうぞ。",
				"[{target} のリリースは{last}。詳しくは{link:パイプライン}で見られます。|{target} のリリースは{last}。|リリースは{last}。|手元の記録では、{target} のリリースはまだです。|手元の記録では、リリースはまだです。]\nいまは何も始めていません。始めるなら「{write}」とだけ書いてください。",
			},
			deploy.MsgHow: {
				"まだ何も始めていません。\n「{write}」とだけ書いてもらえれば、すぐ始めます。",
				"質問かなと思ったので、何も始めていません。\n出すなら「{write}」だけで OK です。",
				"「{write}」とだけ書けば、その場で始まります。\nいまはまだ何も始めていません。",
			},
			deploy.MsgLater: {
				"[「{word}」ですね。]予約はできないので、まだ何も始めていません。\n時間になったら「{write}」とだけ書いて呼んでください。",
				"[「{word}」とあったので、]まだ何も始めていません。\nそのときになったら「{write}」とだけどうぞ。すぐ動きます。",
				"予約は苦手なので、まだ何も始めていません。\n時間になったら「{write}」とだけ書いて、起こしてください。",
			},
			deploy.MsgOther: {
				"[「{word}」のことでしょうか？ ]何も始めていません。[このチャンネルで出せるのは {target} の {ref} です。|このチャンネルでリリースできるのは {targets} です。|このチャンネルでリリースできるのは {target} です。]\nそれでよければ「{write}」とだけ書いてください。",
				"[「{word}」とあって迷ったので、]何も始めていません。[ここから出せるのは {target} の {ref} です。|ここから出せるのは {targets} です。|ここから出せるのは {target} です。]\nリリースするなら「{write}」とだけどうぞ。",
				"念のため確認です。[「{word}」とありますが、][このチャンネルで出せるのは {target} ({ref}) です。|このチャンネルで出せるのは {targets} です。|リリースしていいですか？ ]まだ何も始めていません。\nそれを出すなら「{write}」とだけ書いてください。",
			},
			deploy.MsgNearMiss: {
				"[「{word}」って、]もしかして「リリース」ですか？ 何も始めていません。\n合っていたら「{write}」ともう一度お願いします。",
				"[「{word}」……]惜しい！ 念のため、何も始めていません。\nリリースするなら「{write}」とどうぞ。",
				"[「{word}」は]打ち間違いでしょうか。念には念を入れて、何も始めていません。\n「{write}」と書き直してもらえれば、すぐ始めます。",
			},
			deploy.MsgTooLong: {
				"長い、または読めないところのあるメッセージで、全部は読めていません。見落としがこわいので、何も始めていません。\nリリースするなら「{write}」とだけ書いてください。",
				"すみません、最後まで読みきれませんでした。何も始めていません。\n新しいメッセージで「{write}」とだけ書いてもらえれば、それでわかります。",
			},
			deploy.MsgGuest: {
				"ごめんなさい、別のワークスペースの方からのリリースは受けられません。何も始めていません。\nこのワークスペースの人に「{write}」と書いてもらってください。",
				"何も始めていません。リリースはこのワークスペースの人からだけ受けています。\nどなたかに「{write}」と書いてもらってください。",
			},
			deploy.MsgNotAllowed: {
				"何も始めていません。[{target} を]リリースできる人は、設定で決まっています。\nその人に「{write}」と書いてもらってください。加わりたいときは、psycher の管理者に相談を（設定は `allow` です）。",
				"ごめんなさい、[{target} の]リリースは決まった人からだけ受けています。何も始めていません。\nできる人に「{write}」と書いてもらうか、psycher の管理者に `allow` の設定を相談してください。",
			},
			deploy.MsgTooLate: {
				"気づくのが遅れてしまったので、何も始めていません。\nいまリリースしてよければ、もう一度「{write}」と書いてください。",
				"すみません、出遅れました。いまさら動くとびっくりさせるので、何も始めていません。\nまだリリースするなら「{write}」とどうぞ。",
				"少し前のメッセージなので、何も始めていません。\nいまでもリリースするなら、もう一度「{write}」と書いてください。",
			},
			deploy.MsgForgotten: {
				"私の記録が始まる前のメッセージなので、いまは何も始めていません。\nGitLab の[{link:パイプライン}|パイプライン]を見て、まだのようなら、もう一度「{write}」と書いてください。",
				"このメッセージのころの記録が残っていません。二重に出さないよう、いまは何も始めていません。\nリリースするなら、[{link:パイプライン}|GitLab のパイプライン]を見てから「{write}」とどうぞ。",
			},
			deploy.MsgEditedIn: {
				"編集からはリリースしないことにしているので、何も始めていません。\nリリースするなら、新しいメッセージで「{write}」と書いてください。",
				"編集、見ました！ でも、編集からは始めない決まりなので、何も始めていません。\n新しいメッセージで「{write}」とどうぞ。",
			},
			deploy.MsgEditedOut: {
				"編集が間に合いました。何も始めていません。\nやっぱりリリースするなら、新しいメッセージで「{write}」と書いてください。",
				"取り下げですね、了解です。何も始めていません。\nまたリリースするときは、新しいメッセージで「{write}」とどうぞ。",
			},
			deploy.MsgBroken: {
				"すみません、私の不具合でつまずきました。何も始めていません。\nもう一度「{write}」と書いてみてください。続くようなら、psycher の管理者にログを見てもらってください。",
				"ごめんなさい、途中で転びました。何も始めていません。\n「{write}」ともう一度お願いします。それでもだめなら、psycher の管理者にログを見てもらってください。",
			},
			deploy.MsgNotRecorded: {
				"何も始めていません。記録に使う Redis に書き込めませんでした。\nリリースするなら、少し待ってから「{write}」と書いてください。",
				"すみません、記録に使う Redis につながらず、何も始めていません。\nリリースするときは、少し待ってから「{write}」と書いてください。",
			},
			deploy.MsgDontKnow: {
				"記録に使う Redis から返事がなく、このメッセージでリリースが始まるかどうかわかりません。\nもう一度書くのは、GitLab のパイプラインを見てからにしてください。",
				"このメッセージを記録できたかどうか、わかりません（Redis から返事がありません）。リリースはこのあと始まるかもしれません。\nGitLab のパイプラインを見るまで、書き直さずに待ってください。",
			},
			deploy.MsgStopping: {
				"私はまもなく停止するので、[{what} の|この]リリースの結果をここに書けません。GitLab で始まったものは最後まで動き、まだのものは始まりません。\n結果は[{link:パイプライン}|GitLab のパイプライン]で見てください。",
				"psycher がまもなく止まります。[{what} の|この]リリースの続きは、ここではお知らせできません。\n[{link:パイプライン}|GitLab のパイプライン]を見てください。始まっていれば最後まで動き、まだなら始まりません。",
			},

			// Why a deployment waits.
			deploy.MsgWaitRate: {
				"[{what} は]まだ始まっていません。GitLab の回数制限にかかっています。\n制限が解けたら自動で始めるので、書き直さなくて大丈夫です[（最長で {until} まで待ちます）]。",
				"GitLab に「多すぎる」と言われたので、[{what} の]リリースは順番待ちです。まだ始まっていません。\n空いたら自動で始めます[。待つのは最長で {until} までです]。",
			},
			deploy.MsgWaitUnreachable: {
				"[{what} は]まだ始まっていません。GitLab につながりません。\nつながったら自動で始めるので、書き直さなくて大丈夫です[（最長で {until} まで待ちます）]。",
				"GitLab につながらないので、[{what} の]リリースは待機中です。まだ始まっていません。\nつながりしだい自動で始めます[。待つのは最長で {until} までです]。",
			},

			// Why GitLab refused. Every wording begins with 何も始めていません。
			deploy.MsgRefusedToken: {
				"何も始めていません。GitLab の返事は 404 でした。次のどれかですが、GitLab は区別してくれません。\n• トリガートークンが違う（期限切れも）\n• ほかのプロジェクトのトークンになっている\n• プロジェクト{project}がない\n• トリガートークンの場所に、個人用アクセストークンが入っている\n設定 `GITLAB_TRIGGER_TOKENS` で[{target} の]`project_id` と `token` を確かめてください。",
			},
			deploy.MsgRefusedRef: {
				"何も始めていません。GitLab に ref [{ref} ]がありません。初期設定は `master` ですが、新しいプロジェクトはたいてい `main` です。\n全体を変えるなら設定 `GITLAB_REF` を、[{target} |ひとつ]だけ変えるなら `GITLAB_TRIGGER_TOKENS` の中の `ref` を直してください。",
				"何も始めていません。出そうとした ref [{ref} ]が、GitLab で見つかりませんでした。`master` と `main` の違いがよくある原因です。\n直すところは、全体なら設定 `GITLAB_REF` で、[{target} |ひとつ]だけなら `GITLAB_TRIGGER_TOKENS` の中の `ref` です。",
			},
			deploy.MsgRefusedAmbiguous: {
				"何も始めていません。GitLab に、[{ref} という|同じ]名前のブランチとタグが両方あります。\nブランチなら [{branch}|`refs/heads/名前`] を、タグなら [{tag}|`refs/tags/名前`] を、設定 `GITLAB_TRIGGER_TOKENS` の中の `ref` に書いてください。全体を変えるなら `GITLAB_REF` です。",
			},
			deploy.MsgRefusedUnauthorized: {
				"何も始めていません。GitLab の返事は 401 で、トークンそのものが受け付けられませんでした。トリガートークンの場所に、ジョブトークンなど別の種類が入っていることがよくあります。\nGitLab の Settings → CI/CD → Pipeline trigger tokens でトリガートークンを作り、設定 `GITLAB_TRIGGER_TOKENS` の[{target} の]`token` に入れてください。",
			},
			deploy.MsgRefusedProtected: {
				"何も始めていません。[{ref} は|この ref は]保護されていて、トリガートークンの持ち主には、そこでパイプラインを動かす権限がありません。\n持ち主に push かマージの権限（タグなら作成の権限）を付けるか、権限のある人が作ったトークンに替えてください。",
				"何も始めていません。保護された ref [{ref} ]でパイプラインを動かす権限が、トリガートークンの持ち主にありません。\nGitLab の Settings → Repository で持ち主に push かマージ（タグなら作成）を許すか、許された人のトークンに替えてください。",
			},
			deploy.MsgRefusedOwner: {
				"何も始めていません。トリガートークンの持ち主が、パイプラインを作れなくなっています（ブロックされた、抜けた、ロールが下がった、など）。\nMaintainer 以上の人がトリガートークンを作り直して、設定 `GITLAB_TRIGGER_TOKENS` の `token` を差し替えてください。",
			},
			deploy.MsgRefusedNoJob: {
				"何も始めていません。条件に合うジョブがひとつもありませんでした。\n設定の `release_key` [({key}) ]と、`.gitlab-ci.yml` のジョブの `rules` か `only` に書いた変数名が同じか見てください。",
				"何も始めていません。パイプラインに入るジョブがありませんでした。\n[変数 {key} を|リリース用の変数を]見て動くジョブが `.gitlab-ci.yml` にあるか、その `rules` か `only` と、設定の `release_key` を見比べてください。",
			},
			deploy.MsgRefusedRules: {
				"何も始めていません。このパイプラインは `.gitlab-ci.yml` の `workflow:rules` で除外されました。\n`$CI_PIPELINE_SOURCE == \"trigger\"` を通すルールを `workflow:rules` に足してください。",
			},
			deploy.MsgRefusedVariables: {
				"何も始めていません。GitLab のプロジェクトが、パイプライン変数を受け取らない設定になっています。\nSettings → CI/CD → Variables の “Minimum role to use pipeline variables” を、トリガートークンの持ち主のロールまで下げてください。変えられるのは Maintainer です。いまの値が `owner` か `no_one_allowed` なら、Owner にしか変えられません。",
			},
			deploy.MsgRefusedIdentity: {
				"何も始めていません。トリガートークンの持ち主が、GitLab の本人確認を済ませていません。\n持ち主が GitLab にログインして本人確認を済ませるか、済ませた人のトークンに替えてください。",
			},
			deploy.MsgRefusedConfig: {
				"何も始めていません。`.gitlab-ci.yml` が見つからないか、書き方に誤りがあります。[\nGitLab からの返事: {detail}]\n[{ref} の|リリースする ref の]`.gitlab-ci.yml` を、GitLab の Build → Pipeline editor で確かめてください。",
			},
			deploy.MsgRefusedDisabled: {
				"何も始めていません。GitLab でプロジェクト{project}の CI/CD が無効か、プロジェクトがアーカイブまたは削除されています。[\nGitLab からの返事: {detail}]\nSettings → General を見て、CI/CD を有効にするか、アーカイブを解いてください。",
			},
			deploy.MsgRefusedMoved: {
				"何も始めていません。プロジェクト{project}は、GitLab で別のパスに移っています。\n設定 `GITLAB_TRIGGER_TOKENS` の `project_id` を、数字のプロジェクト ID に替えてください。数字なら、移っても変わりません。",
			},
			deploy.MsgRefusedRedirect: {
				"何も始めていません。設定 `GITLAB_URL` にアクセスすると、[{detail} へ|別の場所へ]転送されます。トークンを守るため、ついて行きません。\n`GITLAB_URL` を GitLab の本当の URL に直してください。よくあるのは http と https の違いです。",
			},
			deploy.MsgRefusedElsewhere: {
				"何も始めていません。設定 `GITLAB_URL` の先で、GitLab の API ではない何かが返事をしました。[\n返ってきた言葉: {detail}]\npsycher の管理者に、次のところを見てもらってください。\n• `GITLAB_URL` のパス（最後の `/gitlab` など）が抜けていないか\n• ログインページ、ファイアウォール、プロキシが GitLab の代わりに答えていないか\n• プロキシがパスの中の `%2F` を `/` に戻していないか。`project_id` を数字にすれば避けられます",
			},
			deploy.MsgRefusedProxy: {
				"何も始めていません。GitLab までの途中のプロキシに、ログインを求められました（407）。[\nプロキシからの返事: {detail}]\npsycher の管理者に、設定 `HTTPS_PROXY` か `HTTP_PROXY` のユーザー名とパスワードを見てもらってください。",
			},
			deploy.MsgRefusedOther: {
				"何も始めていません。GitLab に断られました。[\nGitLab からの返事: {detail}]\n直したら、もう一度「{write}」と書いてください。わからなければ、psycher の管理者にログを見てもらってください。",
				"何も始めていません。GitLab が受け付けてくれませんでした。[\nGitLab からの返事: {detail}]\n原因を直してから、もう一度「{write}」とどうぞ。詳しいことは psycher のログにあります。",
			},
			deploy.MsgRefusedUnreachable: {
				"何も始めていません。5分待ちましたが、GitLab につながりませんでした。\nGitLab が動いているか、設定 `GITLAB_URL` とネットワーク（プロキシや証明書も）を確かめて、もう一度「{write}」と書いてください。",
				"何も始めていません。5分のあいだ、GitLab につながらないままでした。\nGitLab が戻ったら、もう一度「{write}」と書いてください。続くようなら、psycher の管理者に `GITLAB_URL` とネットワークを見てもらってください。",
			},
			deploy.MsgRefusedRate: {
				"何も始めていません。5分待ちましたが、GitLab の回数制限が解けませんでした。\n少し時間をおいて、もう一度「{write}」と書いてください。",
				"何も始めていません。5分たっても、GitLab は「多すぎる」の一点張りでした。\n落ち着いたころに、もう一度「{write}」とどうぞ。",
			},
			deploy.MsgRefusedGone: {
				"何も始めていません。待っているあいだに、[{target} が|リリースするものが]設定 `GITLAB_TRIGGER_TOKENS` から消えました。\nまだ必要なら、psycher の管理者に戻してもらって、もう一度「{write}」と書いてください。",
			},

			// The status message of a deployment: one line.
			deploy.MsgStatusRunning: {
				"[{what} を]リリースしています。[{link:パイプライン}]",
				"[{what} の]リリース、動き出しました。[{link:パイプライン}]",
				"[{what} を]リリース中です。終わったらここに書きますね。[{link:パイプライン}]",
			},
			deploy.MsgStatusUnsure: {
				"GitLab からはっきりした返事がなく、[{what} の]リリースが始まったかどうかわかりません。リリースし直すのは、[{link:パイプライン一覧}|GitLab のパイプライン]を確かめてからにしてください。わかったらここに書きます。",
				"[{what} の]リリースは頼みましたが、始まったかどうか、GitLab の返事からはわかりません。もう一度リリースする前に、必ず[{link:パイプライン一覧}|GitLab のパイプライン]を見てください。わかりしだい、ここに書きます。",
			},
			deploy.MsgStatusSilent: {
				"[{what} の]リリース、結果の連絡が来ていません。[{link:GitLab で見る}]",
				"[{what} の]リリースがどうなったか、連絡がないのでわかりません。[{link:GitLab で見る}]",
			},
			deploy.MsgStatusSucceeded: {
				"[{what} を]リリースしました。[{link:パイプライン}]",
				"[{what} の]リリースが終わりました。成功です。[{link:パイプライン}]",
			},
			deploy.MsgStatusFailed: {
				"[{what} の]リリースは失敗しました。[{link:パイプライン}]",
				"[{what} の]リリースのパイプラインが失敗しました。[{link:パイプライン}]",
			},
			deploy.MsgStatusCanceled: {
				"[{what} の]リリースはキャンセルされました。[{link:パイプライン}]",
				"[{what} の]リリースは、途中でキャンセルされました。[{link:パイプライン}]",
			},
			deploy.MsgStatusPerson: {
				"[{what} の]リリースは、GitLab で誰かが手動のジョブを動かすのを待っています。[{link:パイプライン}]",
				"[{what} の]リリース、続きは GitLab で誰かがボタンを押してからです。[{link:パイプライン}]",
			},
			deploy.MsgStatusRunner: {
				"[{what} の]リリースは runner 待ちで、まだ始まっていません。[{link:パイプライン}]",
				"[{what} の]リリースを引き受ける runner が、まだ現れません。[{link:パイプライン}]",
			},
			deploy.MsgStatusNothing: {
				"[{what} は]リリースされていません。リリースのジョブが動かないまま、パイプラインが終わりました。[{link:パイプライン}]",
				"パイプラインは終わりましたが、[{what} は]リリースされていません。[{link:パイプライン}]",
			},
			deploy.MsgStatusRefused: {
				"何も始めていません。待ちましたが、[{what} の|この]リリースはできませんでした。",
				"何も始めていません。[{what} の|この]リリースは、待ちましたが、あきらめました。",
			},
			deploy.MsgStatusAnswered: {
				"何も始めていません。[{what} の|この]リリースは、待っているあいだに取り下げられました。",
				"[{what} の]リリースは取り下げになりました。何も始めていません。",
			},

			// Lines in the thread of a deployment.
			deploy.MsgSucceeded: {
				"[{target} の]リリース、無事に終わりました！ おつかれさまです :tada:",
				"[{target} ]出ました！ 今日もいい仕事しました（私が）。",
				"リリース完了です！ [{target} は]もう世に出てますよ。",
				"[{target} の]リリース成功！ お茶でもどうぞ :tea:",
			},
			deploy.MsgFailed: {
				"[{user} さん、][{target} の]リリースが失敗しました[ ({detail})]。[{link:パイプライン}]\n直してもう一度「{write}」と書くか、GitLab で失敗したジョブをやり直してください。",
				"[{user} さん、][{target} の]リリースがうまくいきませんでした[ ({detail})]。何が起きたかは[{link:パイプライン}|GitLab のパイプライン]にあります。\n直ったら、もう一度「{write}」と書くか、GitLab でジョブをやり直してください。",
				"[{user} さん、]ぎゃー！[{target} の]リリースが失敗しました[ ({detail})]。[{link:パイプライン}を見てください。]\nGitLab でジョブをやり直すか、直してから「{write}」ともう一度どうぞ。",
			},
			deploy.MsgCanceled: {
				"[{user} さん、][{target} の]リリースがキャンセルされました。[{link:パイプライン}]\n覚えがなければ、あとから来た push による自動キャンセルかもしれません。続けるなら GitLab でやり直すか、もう一度「{write}」と書いてください。",
				"[{user} さん、][{target} の]リリースは途中でキャンセルされました。[{link:パイプライン}]\nどこまで進んだかを確かめてから、GitLab でやり直すか、もう一度「{write}」と書いてください。",
			},
			deploy.MsgSilent: {
				"[{user} さん、][{target} の]リリースの結果が、時間を過ぎても届きません。どうなったか、[{link:GitLab}|GitLab のパイプライン]で確かめてください。\nあとから連絡が来たら、ここに書きます。",
				"[{user} さん、][{target} の]リリースについて、まだ何も連絡がありません。成功か失敗か、[{link:GitLab}|GitLab のパイプライン]で見てもらえますか。\n遅れて連絡が来たら、ここに書きます。",
			},
			deploy.MsgNoneSeen: {
				"[{user} さん、]GitLab を確かめましたが、[{what} の|この]リリースのパイプラインは見当たりません。[{link:パイプライン一覧}]\nもう一度「{write}」と書けば、新しく始めます。",
				"[{user} さん、][{what} の|この]リリースは GitLab に届いていなかったようで、パイプラインが見当たりません。[{link:パイプライン一覧}]\nリリースするなら、もう一度「{write}」と書いてください。",
			},
			deploy.MsgRecovered: {
				"やり直しが効きました！[{target} の]リリース、成功です :tada:",
				"七転び八起き！[{target} の]リリース、今度は成功しました。",
				"あきらめずにやり直した甲斐がありました。[{target} の]リリース、成功です！",
			},
			deploy.MsgFailedAfter: {
				"[{user} さん、][{target} の]リリースは一度成功しましたが、そのあと失敗の連絡が来ました[ ({detail})]。ジョブがやり直されたのかもしれません。[{link:パイプライン}を確かめてください。]\n成功の印は、そのままにしてあります。",
				"[{user} さん、]一度成功した[{target} の]リリースから、あとで失敗の連絡が届きました[ ({detail})]。印は成功のままです。\nいま何が動いているか、[{link:パイプライン}|GitLab のパイプライン]で確かめてください。",
			},
			deploy.MsgUnseen: {
				"[{target} の]リリースは成功したとのことです。ただ、GitLab でジョブまでは確かめられませんでした。[{link:パイプライン}を見ておいてください。|GitLab のパイプラインを見ておいてください。]",
				"[{target} の]リリース、成功と聞きました。ジョブは GitLab で見られなかったので、念のため[{link:パイプライン}|GitLab のパイプライン]を確かめてください。",
			},
			deploy.MsgNothing: {
				"[{user} さん、]パイプラインは終わりましたが、[{what} は|まだ何も]リリースされていません。[{link:パイプライン}]\n[GitLab で {detail} を動かすとリリースが始まります。結果はここに書きます。|リリースのジョブが動きませんでした。`.gitlab-ci.yml` の `rules` などの条件を確かめてください。]",
				"[{user} さん、][{what} は、]まだリリースされていません。[{link:パイプライン}はもう終わっています。|パイプラインはもう終わっています。]\n[残りは {detail} です。GitLab で誰かが動かせば、結果をここに書きます。|リリースのジョブがスキップされたようです。`.gitlab-ci.yml` の条件を見てみてください。]",
			},
			deploy.MsgPerson: {
				"[{user} さん、][{target} の]リリースは、GitLab で誰かの操作を待っています。[{link:パイプライン}]\n手動のジョブを動かすと先へ進みます。結果はここに書きます。",
				"[{user} さん、][{target} の]リリースは人の手を待っています。[{link:パイプライン}で|GitLab で]手動のジョブを動かしてください。\n続きはここに書きます。",
			},
			deploy.MsgOvertime: {
				"[{target} の]リリースは、[{detail} たっても|予定の時間を過ぎても]終わっていません。GitLab では続いているので、このまま見守ります。[{link:パイプライン}]",
				"[{target} の]リリース、思ったより長くかかっています[。始めてから {detail} たちました]。GitLab では続いていますので、終わったらここに書きます。[{link:パイプライン}]",
			},
			deploy.MsgBrokenUnsure: {
				"[{user} さん、]すみません、私の不具合で、[{target} の]リリースが始まったかどうかわからなくなりました。\n[{link:パイプライン一覧}を見るまで|GitLab のパイプラインを見るまで]、もう一度リリースしないでください。",
				"[{user} さん、]すみません、私の不具合です。[{target} の]リリースは、もう始まっているかもしれません。\nもう一度リリースする前に、必ず[{link:パイプライン一覧}|GitLab のパイプライン]を見てください。",
			},
		},
	}
}
