// The page's own texts. What the bot and GitLab say comes from them.

const ja = {
  title: "psycher のデモ", demo: "のデモ", skip: "メッセージ欄へ", sections: "ページの中", language: "言語", dark: "暗く", light: "明るく",
  ready: "ボットは動いています", starting: "ボットは起動中です", killed: "ボットは止まっています", sockets: "ソケット",
  gone: "デモにつながりません。端末で psycher demo が動いているか見てください。動けば、このページは自動で戻ります。",

  channelShort: "チャンネル", channelNote: "Slack の代役", messages: "メッセージ", write: "#app へのメッセージ", send: "送信", save: "保存",
  hint: "Enter で送信、Shift+Enter で改行、↑ で前に書いたもの", first: "@psycher app をリリースして", leave: "やめる",
  examples: "書いてみる例", tries: ["リリース", "管理画面をリリースして", "app を明日リリースして", "リリースしないで", "状況は？", "履歴", "止めて", "ヘルプ"],
  replying: "スレッドに返信:", editing: "編集中:", reply: "返信", edit: "編集", edited: "(編集済み)", app: "アプリ", thread: "スレッド", reactions: "リアクション",
  as: "書く人・押す人", guest: "社外", only: "あなただけに見えています", actions: "ボタン", choose: "選ぶ", noAck: "ボットから返事がありません。もう一度押してください。",
  noMessage: "まだ何もありません。下の欄にはもうメンションが書いてあります。「送信」を押すとデプロイが始まります。",

  gitlabNote: "の代役", pipelines: "パイプライン", cancel: "キャンセル", retry: "再実行", log: "ログ",
  noPipeline: "パイプラインはまだありません。", created: "作成済み", pending: "待機中", running: "実行中", success: "成功", failed: "失敗", canceled: "キャンセル済み", skipped: "スキップ",

  tour: "ためしてみる", score: "スコア", done: "済み", open: "まだ",
  "score-mentions": "メンション", "score-pipelines": "パイプライン", "score-doubled": "二重", "score-unanswered": "返事なし", "score-kills": "強制終了",
  "step-release": "リリースする", "step-kill": "途中でボットを強制終了し、また動かす", "step-ask": "「明日リリースして」と書いて、ボタンを押す", "step-rollback": "前のリリースに戻す",
  "say-release": "app をリリースして", "say-ask": "app を明日リリースして", "say-rollback": "app をロールバック",

  record: "記録", moves: "状態の移り変わり", raw: "記録そのもの (JSON)",
  noRecord: "メンションすると、ボットがそれについて覚えていることがここに出ます。",
  "state-accepted": "受け取り、記録した", "state-answered": "デプロイせず、返事をした", "state-triggering": "GitLab に頼んでいる", "state-waiting": "まだ動いていない。あとでもう一度頼む",
  "state-asking": "ボタンで尋ねている", "state-queued": "順番を待っている", "state-unsure": "動いたかどうかわからない。調べる", "state-running": "パイプラインがある", "state-silent": "期限までに連絡がない", "state-refused": "GitLab が断った。何も動いていない",
  "state-succeeded": "成功した", "state-failed": "失敗した", "state-canceled": "中止された",
  "fact-target": "対象", "fact-pipeline": "パイプライン", "fact-mark": "リアクション", "fact-lines": "スレッドに書いた行", "fact-looks": "GitLab を見た回数", "fact-next": "次に見る時刻", "fact-closes": "閉じる時刻",

  switches: "困らせてみる", switchesNote: "何が起きても二度走らず、黙って消えない",
  "switch-fail-next": "次のデプロイを失敗させる", "look-fail-next": "❌ が付き、スレッドで頼んだ人が呼ばれる。GitLab で「再実行」すると ✅ に変わる。",
  "switch-fault": "次のデプロイへの GitLab の答え", asEver: "いつもどおり", "look-fault": "選んでから @psycher app をリリースして。一度だけ効く。",
  "switch-unreachable": "GitLab につながらない", "look-unreachable": "⏳ が付いて待つ。5 分のうちに戻せば一度だけデプロイされ、戻さなければ ❌ と「何も始めていません」。",
  "switch-limit": "Slack が 429 を返す", "look-limit": "デプロイは止まらない。戻すと、印と返事がひとつずつ、重ならずに付く。",
  "switch-double": "Slack が何でも二度届ける", "look-double": "どのソケットにも同じものが届く。書いてみても、デプロイも返事もひとつのまま。",
  "switch-drop": "ソケットを切る", "look-drop": "ソケットの数が 0 になってもすぐ戻る。直後に書いても、届いて、デプロイは一度だけ。",
  "switch-kill": "ボットを強制終了する", "look-kill": "デプロイ中に入れて、切ると再起動。デプロイは続き、結果は一度だけ届く。止まる前に受けたものは約 12 秒後に引き継ぐ。",
  "switch-redis": "Redis が止まる", "look-redis": "書くとすぐ「何も始めていません」。記録なしでは何も始めない。戻せば、そのまま元どおり。",
  allFaults: "GitLab の答えをすべて見る",
  "fault-protected branch": "断る: ブランチが保護されている", "fault-unauthorized": "断る: トークンが違う (401)", "fault-rate limit of the application": "「多すぎる。1 分待って」(429)", "fault-500": "壊れている (500)",
  "fault-cut": "途中で切れる。何も動いていない", "fault-made and cut": "途中で切れる。でも動いている", "fault-slow": "とても遅い", "fault-made twice": "二つ動かしてしまう",
  "kind-refused": "断る", "look-refused": "❌ と、何を直せばよいかの返事。パイプラインはできない。",
  "kind-waits": "待たせる", "look-waits": "⏳ が付き、GitLab の言う時間 (10 秒から 1 分) のあとにもう一度頼んで、デプロイは一度だけ。",
  "kind-lost": "答えが失われる (動いている)", "look-lost": "答えがなくてもパイプラインはひとつ。その開始の知らせか照会でわかり、二つ目は作らない。",
  "kind-unsure": "答えが失われる (動いていない)", "look-unsure": "❓ が付く。約 20 秒調べて、パイプラインがないと伝える。勝手に頼み直さない。",
  "kind-slow": "遅い", "look-slow": "GitLab が 2 秒たっても答えないと 👀 が付き、答えるか、デプロイのジョブが始まると 👍 になる。",
  "kind-twice": "二つ作ってしまう", "look-twice": "パイプラインは二つできても、デプロイするのはひとつ。もうひとつは開始の知らせに 409 をもらって止まる。",
  "kind-failed": "失敗したパイプラインができる", "poll-failed": "パイプラインは初めから失敗。❌ と、そのリンクが付く。",
};

const en = {
  title: "psycher: the demo", demo: "demo", skip: "To the message box", sections: "On this page", language: "Language", dark: "Dark", light: "Light",
  ready: "The bot is running", starting: "The bot is starting", killed: "The bot is stopped", sockets: "sockets:",
  gone: "The demo cannot be reached: check that psycher demo is still running in its terminal. If it is, this page comes back by itself.",

  channelShort: "Channel", channelNote: "stand-in for Slack", messages: "Messages", write: "Message to #app", send: "Send", save: "Save",
  hint: "Enter sends, Shift+Enter starts a new line, ↑ recalls a message", first: "@psycher release app", leave: "Cancel",
  examples: "Something to try", tries: ["release", "release admin", "release app tomorrow", "don't deploy", "status", "history", "stop", "help"],
  replying: "Replying in the thread of:", editing: "Editing:", reply: "Reply", edit: "Edit", edited: "(edited)", app: "APP", thread: "Thread", reactions: "Reactions",
  as: "Write and press as", guest: "guest", only: "Only visible to you", actions: "Buttons", choose: "Choose", noAck: "The bot did not answer. Press it again.",
  noMessage: "Nothing here yet. The box below already has a mention: press Send, and a deploy starts.",

  gitlabNote: "stand-in", pipelines: "Pipelines", cancel: "Cancel", retry: "Retry", log: "Log of",
  noPipeline: "No pipeline yet.", created: "created", pending: "pending", running: "running", success: "passed", failed: "failed", canceled: "canceled", skipped: "skipped",

  tour: "Try it", score: "Score", done: "done", open: "not yet",
  "score-mentions": "mentions", "score-pipelines": "pipelines", "score-doubled": "doubled", "score-unanswered": "unanswered", "score-kills": "kills",
  "step-release": "Release", "step-kill": "Kill the bot in the middle, and start it again", "step-ask": "Write “release tomorrow”, and press a button", "step-rollback": "Roll back",
  "say-release": "release app", "say-ask": "release app tomorrow", "say-rollback": "roll back app",

  record: "Record", moves: "Its states so far", raw: "The record itself (JSON)",
  noRecord: "Mention the bot, and what it records appears here.",
  "state-accepted": "received and recorded", "state-answered": "answered; nothing was deployed", "state-triggering": "GitLab is being asked", "state-waiting": "not running yet; psycher asks again later",
  "state-asking": "asked by buttons; waits for a press", "state-queued": "waits for its turn", "state-unsure": "may or may not run; psycher checks", "state-running": "there is a pipeline", "state-silent": "no result by the deadline", "state-refused": "GitLab refused; nothing runs",
  "state-succeeded": "it succeeded", "state-failed": "it failed", "state-canceled": "it was canceled",
  "fact-target": "Target", "fact-pipeline": "Pipeline", "fact-mark": "Reaction", "fact-lines": "Lines posted", "fact-looks": "Polls of GitLab", "fact-next": "Next check", "fact-closes": "Closes at",

  switches: "Try to break it", switchesNote: "nothing runs twice or is lost",
  "switch-fail-next": "The next deploy fails", "look-fail-next": "Look for ❌, and a line in the thread that names you. Retry it in GitLab, and it becomes ✅.",
  "switch-fault": "GitLab's answer to the next deploy", asEver: "As usual", "look-fault": "Choose one, then write @psycher release app. It applies once.",
  "switch-unreachable": "GitLab cannot be reached", "look-unreachable": "Look for ⏳. If you switch it back within 5 minutes, it deploys once; if not, ❌ and “nothing was started”.",
  "switch-limit": "Slack answers 429", "look-limit": "The deploy goes on. When you switch it back, reactions and replies arrive one by one, none of them twice.",
  "switch-double": "Slack delivers everything twice", "look-double": "Everything arrives on every socket. Write something: there is still one deploy, and one answer.",
  "switch-drop": "Drop the sockets", "look-drop": "The number of sockets falls to 0 and recovers at once. Write right after that: the mention arrives and deploys once.",
  "switch-kill": "Kill the bot", "look-kill": "Kill it while a deploy runs, switch back to restart it: the deploy goes on, and its result is posted once. Mentions received before are picked up after about 12 s.",
  "switch-redis": "Redis is down", "look-redis": "Write something: “nothing was started”, at once. Nothing starts without its record. Switch it back, and all is as before.",
  allFaults: "All of GitLab's answers",
  "fault-protected branch": "Refuses: the branch is protected", "fault-unauthorized": "Refuses: the token is wrong (401)", "fault-rate limit of the application": "“Too many requests, wait a minute” (429)", "fault-500": "Breaks (500)",
  "fault-cut": "Is cut off, and nothing runs", "fault-made and cut": "Is cut off, yet the pipeline runs", "fault-slow": "Takes very long", "fault-made twice": "Starts two pipelines",
  "kind-refused": "It refuses", "look-refused": "Look for ❌ and a reply that says what to fix. No pipeline is created.",
  "kind-waits": "It makes psycher wait", "look-waits": "Look for ⏳. psycher asks again when GitLab allows it (10 s to a minute), and deploys once.",
  "kind-lost": "Its answer is lost, the pipeline runs", "look-lost": "There is still one pipeline: its start call or a look-up reveals it. There is no second one.",
  "kind-unsure": "Its answer is lost, nothing runs", "look-unsure": "Look for ❓. After checking for about 20 s the bot says that there is no pipeline. It does not trigger again by itself.",
  "kind-slow": "It is slow", "look-slow": "👀 after 2 seconds without an answer; then 👍, by the answer or by the start of the job that deploys.",
  "kind-twice": "It creates two", "look-twice": "Of two pipelines one deploys. The other gets 409 at its start call, and stops.",
  "kind-failed": "It creates a failed pipeline", "poll-failed": "The pipeline fails right away: ❌, with its link.",
};

export const words = { ja, en };
