package phrases

import "github.com/getto-systems/psycher/deploy"

// english holds every wording in English. To add one, add a string: which of
// them is said is left to chance. docs/PHRASES.md shows them all, and explains
// the {placeholders} and the [brackets].
func english() language {
	return language{
		release: "release",
		to:      " ",
		name:    "NAME",
		last: map[deploy.State]string{
			deploy.Accepted:   "has just been asked for",
			deploy.Answered:   "was withdrawn",
			deploy.Triggering: "is about to start",
			deploy.Waiting:    "is waiting for GitLab to take it",
			deploy.Unsure:     "may or may not have started",
			deploy.Running:    "is running",
			deploy.Silent:     "has not reported back",
			deploy.Refused:    "never started",
			deploy.Succeeded:  "succeeded",
			deploy.Failed:     "failed",
			deploy.Canceled:   "was canceled",
		},
		says: map[deploy.MessageID][]string{
			// Answers that deploy nothing.
			deploy.MsgGreet: {
				"Hello! Say “{write}” and off we go.",
				"Hi there! Sleeves rolled up, finger over the button.",
				"Good to see you! I'm at my best when somebody says “{write}”.",
				"Hey! All warmed up here. Shall we ship something today?",
			},
			deploy.MsgUnknown: {
				"Hm? “{write}” is more my kind of thing.",
				"That one went over my head! I only know one trick: “{write}”.",
				"Sorry, I didn't get that. Write “{write}” and I'll jump to it.",
				"I hear you, I just don't get it. “{write}”, now that I'd get!",
			},
			deploy.MsgNoTarget: {
				"There is nothing to deploy from this channel yet.\nAsk whoever runs psycher to add this channel to the setting `GITLAB_TRIGGER_TOKENS`.",
				"I'd love to, but nobody told me what this channel deploys.\nWhoever runs psycher can add the channel to the setting `GITLAB_TRIGGER_TOKENS`.",
			},
			deploy.MsgWhichTarget: {
				"Which one?[ This channel has {targets}. Name just one, like “{example}”.| Write its name as well.]",
				"Happy to, but which one?[ Pick one of {targets} and write “{example}”, for example.| Write its name as well.]",
				"Help me choose![ It's {targets} here: name one, as in “{example}”.| Write the name of one.]",
			},
			deploy.MsgStop: {
				"Nothing was started[: I read “{word}”]. [I can't stop or re-run {link:the last pipeline}: please do that in GitLab.|As far as I know, nothing is running for this channel.]\nTo deploy, just write “{write}”.",
				"All right, nothing was started. [I can't stop {link:the last pipeline} myself: cancel it or run it again in GitLab.|And as far as I know, nothing is running here.]\nIf you do want to deploy, just write “{write}”.",
				"Nothing was started. [To cancel or redo {link:the last pipeline}, use GitLab.|I don't know of anything that is running for this channel.]\nTo deploy, just write “{write}”.",
			},
			deploy.MsgNegated: {
				"Nothing was started[: I read “{word}”].\nTo deploy, just write “{write}”.",
				"All right, nothing was started.\nIf you change your mind, just write “{write}”.",
				"Okay, hands off the button: nothing was started.\nWhen you do want to deploy, just write “{write}”.",
			},
			deploy.MsgPast: {
				"[The last deploy of {target} {last} ({link:pipeline}).|The last deploy of {target} {last}.|The last deploy {last}.|I know of no deploy of {target} yet.|I know of no deploy here yet.]\nNothing was started now. To deploy, just write “{write}”.",
				"Nothing was started. As far as I know, [the last deploy of {target} {last} ({link:pipeline}).|the last deploy of {target} {last}.|the last deploy {last}.|{target} has not been deployed yet.|nothing has been deployed here yet.]\nTo start a new one, just write “{write}”.",
				"Here is what I know: [the last deploy of {target} {last} ({link:pipeline}).|the last deploy of {target} {last}.|the last deploy {last}.|no deploy of {target} so far.|no deploy here so far.]\nNothing was started just now. If you want to deploy, just write “{write}”.",
			},
			deploy.MsgHow: {
				"Nothing was started yet.\nJust write “{write}” and it starts.",
				"That sounded like a question, so nothing was started.\nThe answer is short: just write “{write}”.",
				"Easy: just write “{write}”, and it starts on the spot.\nNothing was started so far.",
			},
			deploy.MsgLater: {
				"Nothing was started[: I read “{word}”, and I can't schedule deploys].\nCall me when it's time: just write “{write}”.",
				"I don't do appointments, so nothing was started.\nWhen it's time, just write “{write}”.",
				"Waiting isn't my strong suit, so nothing was started.\nWake me when it's time: just “{write}”.",
			},
			deploy.MsgOther: {
				"[Did you mean “{word}”? ]Nothing was started.[ This channel deploys {target} from {ref}.| This channel deploys {targets}.| This channel deploys {target}.]\nTo go ahead, just write “{write}”.",
				"Nothing was started[: I wasn't sure about “{word}”].[ From here, {target} is deployed from {ref}.| From here you can deploy {targets}.| From here you can deploy {target}.]\nTo deploy that, just write “{write}”.",
				"Just checking[, because of “{word}”]: deploy [{target} ({ref})|one of {targets}|now]? Nothing was started.\nIf so, just write “{write}”.",
			},
			deploy.MsgNearMiss: {
				"[“{word}”? ]Did you mean “release”? Nothing was started.\nIf you did, write “{write}”.",
				"[“{word}”: so|So] close! Nothing was started, just in case.\nOnce more, with “{write}”?",
				"[Could “{word}” be a typo?|Could that be a typo?] I'm the careful kind, so nothing was started.\nWrite “{write}” and it starts at once.",
			},
			deploy.MsgTooLong: {
				"I couldn't read all of this message: it is long, or parts of it are beyond me. I don't deploy on half a message, so nothing was started.\nTo deploy, just write “{write}”.",
				"Sorry, I didn't make it to the end of this message. Nothing was started.\nA new one with just “{write}” is all I need.",
			},
			deploy.MsgGuest: {
				"Sorry, guests from another workspace can't deploy here. Nothing was started.\nAsk somebody in this workspace to write “{write}”.",
				"Nothing was started: only people in this workspace can deploy.\nOne of them can write “{write}” for you.",
			},
			deploy.MsgNotAllowed: {
				"Nothing was started. Only certain people may deploy[ {target}| this].\nAsk one of them to write “{write}”, or ask whoever runs psycher to add you to `allow` in the settings.",
				"Sorry, the settings name who may deploy[ {target}| this], and you aren't on the list. Nothing was started.\nOne of those people can write “{write}”, or whoever runs psycher can add you to `allow`.",
			},
			deploy.MsgTooLate: {
				"I saw this too late, so nothing was started.\nIf it is still wanted, write “{write}” again.",
				"Sorry, I overslept. Rather than surprise you, I left it: nothing was started.\nStill want it? Write “{write}”.",
				"This message had been waiting for a while, so nothing was started.\nIf you still want to deploy, write “{write}” once more.",
			},
			deploy.MsgForgotten: {
				"This message is older than my records, so nothing was started now.\nHave a look at [{link:the pipelines}|the pipelines] in GitLab. If it did not run, write “{write}” again.",
				"My records don't go back to this message. To avoid deploying twice, nothing was started now.\nLook at [{link:the pipelines}|the pipelines] in GitLab first, then write “{write}”.",
			},
			deploy.MsgEditedIn: {
				"I don't deploy from edits, so nothing was started.\nTo deploy, post a new message with “{write}”.",
				"I saw the edit! Edits don't start deploys though: nothing was started.\nPost “{write}” as a new message.",
			},
			deploy.MsgEditedOut: {
				"Your edit was in time. Nothing was started.\nIf you want to deploy after all, post a new message with “{write}”.",
				"Okay, withdrawn. Nothing was started.\nTo deploy another time, post a new message with “{write}”.",
			},
			deploy.MsgBroken: {
				"Sorry, that's a bug on my side. Nothing was started.\nPlease write “{write}” again. If it happens again, ask whoever runs psycher to look at the log.",
				"I tripped over my own feet, sorry. Nothing was started.\nTry “{write}” once more. If that doesn't help, psycher's log says why.",
			},
			deploy.MsgNotRecorded: {
				"Nothing was started. I could not write to Redis, where I keep my records.\nTo deploy, wait a moment and write “{write}”.",
				"Sorry, I can't reach Redis, where I keep my records, so nothing was started.\nIf you want to deploy, write “{write}” in a moment.",
			},
			deploy.MsgDontKnow: {
				"Redis, where I keep my records, does not answer, so I don't know whether this message starts a deploy.\nPlease look at the pipelines in GitLab before you write again.",
				"I'm not sure that this message was recorded (Redis does not answer). It may still start a deploy.\nPlease don't write it again before you have looked at the pipelines in GitLab.",
			},
			deploy.MsgStopping: {
				"psycher is being stopped and can't show here how [{what} ends|this deploy ends]. What has started in GitLab goes on; what has not will not start.\nSee [{link:the pipeline}|the pipelines in GitLab] for the result.",
				"psycher is about to stop, so this is the last you hear of [the deploy of {what}|this deploy] here.\nPlease follow [{link:the pipeline}|the pipelines in GitLab]: if it has started it runs to its end, if not it will not start.",
			},

			// Why a deployment waits.
			deploy.MsgWaitRate: {
				"[{what} has|This has] not started yet: GitLab's rate limit was reached.\nIt starts by itself when GitLab lets it, no need to write again[ (I wait until {until} at the latest)].",
				"GitLab says “too many”, so [{what} is|this deploy is] in line and has not started yet.\nIt goes on by itself as soon as there is room[. I wait until {until} at the latest].",
			},
			deploy.MsgWaitUnreachable: {
				"[{what} has|This has] not started yet: GitLab can't be reached.\nIt starts by itself when GitLab is back, no need to write again[ (I wait until {until} at the latest)].",
				"I can't reach GitLab, so [{what} is|this deploy is] on hold and has not started yet.\nIt goes on by itself once I get through[. I wait until {until} at the latest].",
			},

			// Why GitLab refused. Every wording begins with Nothing was started.
			deploy.MsgRefusedToken: {
				"Nothing was started. GitLab answered 404, which is one of these; GitLab doesn't say which.\n• the trigger token is wrong or has expired\n• it is the token of another project\n• [there is no project {project}|there is no such project]\n• a personal access token was used instead of a trigger token\nPlease check `project_id` and `token`[ of {target}] in the setting `GITLAB_TRIGGER_TOKENS`.",
			},
			deploy.MsgRefusedRef: {
				"Nothing was started. GitLab has no ref[ {ref}| of that name]. The default is `master`, while newer projects mostly have `main`.\nSet `GITLAB_REF` to change it for all, or `ref` in `GITLAB_TRIGGER_TOKENS` to change it for [{target}|one target] only.",
				"Nothing was started. [The ref {ref} is|The ref is] not in GitLab. `master` where it should be `main` is the usual cause.\nThe place to fix it is `GITLAB_REF` for all targets, or `ref` in `GITLAB_TRIGGER_TOKENS` for [{target}|one target].",
			},
			deploy.MsgRefusedAmbiguous: {
				"Nothing was started. In GitLab, a branch and a tag are both called [{ref}|the same].\nWrite which of them is meant into `ref` in `GITLAB_TRIGGER_TOKENS` (or `GITLAB_REF`, for all targets): [{branch}|`refs/heads/NAME`] is the branch, [{tag}|`refs/tags/NAME`] the tag.",
			},
			deploy.MsgRefusedUnauthorized: {
				"Nothing was started. GitLab answered 401: it does not take this token at all. Often a job token or another kind of token was used instead of a trigger token.\nMake a trigger token in GitLab (Settings → CI/CD → Pipeline trigger tokens) and put it in as `token`[ of {target}] in the setting `GITLAB_TRIGGER_TOKENS`.",
			},
			deploy.MsgRefusedProtected: {
				"Nothing was started. [{ref} is protected|The ref is protected], and the owner of the trigger token may not run pipelines on it.\nAllow the owner to push or merge there (to create, for a tag), or use a token made by somebody who may.",
				"Nothing was started. The owner of the trigger token has no right to run the protected ref[ {ref}].\nIn GitLab, Settings → Repository, allow the owner to push or merge (for a tag, to create it), or use the token of somebody who may.",
			},
			deploy.MsgRefusedOwner: {
				"Nothing was started. The owner of the trigger token can no longer create pipelines: blocked, gone, or with a lower role than before.\nSomebody with the role Maintainer or higher should make a new trigger token, to be put in as `token` in `GITLAB_TRIGGER_TOKENS`.",
			},
			deploy.MsgRefusedNoJob: {
				"Nothing was started. No job matched.\nPlease check that `release_key`[ ({key})] is spelled as in the `rules` or `only` of the jobs in `.gitlab-ci.yml`.",
				"Nothing was started. The pipeline would have had no jobs.\nIs there a job in `.gitlab-ci.yml` that runs for the [variable {key}|release variable]? Compare its `rules` or `only` with `release_key` in the settings.",
			},
			deploy.MsgRefusedRules: {
				"Nothing was started. `workflow:rules` in `.gitlab-ci.yml` filtered this pipeline out.\nAdd a rule there that lets `$CI_PIPELINE_SOURCE == \"trigger\"` pass.",
			},
			deploy.MsgRefusedVariables: {
				"Nothing was started. The project in GitLab does not accept pipeline variables.\nUnder Settings → CI/CD → Variables, lower “Minimum role to use pipeline variables” to the role of the trigger token's owner. A Maintainer can do that; where it now says `owner` or `no_one_allowed`, only an Owner can.",
			},
			deploy.MsgRefusedIdentity: {
				"Nothing was started. GitLab wants the owner of the trigger token to verify their identity first.\nThe owner can do that after signing in to GitLab; or use a token of somebody who has.",
			},
			deploy.MsgRefusedConfig: {
				"Nothing was started. `.gitlab-ci.yml` is missing or broken.[\nGitLab says: {detail}]\nHave a look at it[ on {ref}] in GitLab, under Build → Pipeline editor.",
			},
			deploy.MsgRefusedDisabled: {
				"Nothing was started. In GitLab, CI/CD is off for [{project}|the project], or the project is archived or deleted.[\nGitLab says: {detail}]\nUnder Settings → General, turn CI/CD on or unarchive the project.",
			},
			deploy.MsgRefusedMoved: {
				"Nothing was started. [The project {project}|The project] has moved to another path in GitLab.\nIn the setting `GITLAB_TRIGGER_TOKENS`, use the numeric project ID as `project_id`: it stays the same when a project moves.",
			},
			deploy.MsgRefusedRedirect: {
				"Nothing was started. The address in `GITLAB_URL` redirects[ to {detail}| elsewhere], and I don't follow, to keep the token safe.\nSet `GITLAB_URL` to where GitLab really is. Often it is just http instead of https.",
			},
			deploy.MsgRefusedElsewhere: {
				"Nothing was started. Something other than GitLab's API answers at `GITLAB_URL`.[\nIt says: {detail}]\nWhoever runs psycher should see that\n• `GITLAB_URL` has its whole path, such as `/gitlab` at the end\n• no login page, firewall or proxy answers in GitLab's place\n• no proxy decodes the `%2F` in the project's path (the project's number as `project_id` helps at once)",
			},
			deploy.MsgRefusedProxy: {
				"Nothing was started. The proxy between me and GitLab wants a login (407).[\nIt says: {detail}]\nWhoever runs psycher should check the user and password in the setting `HTTPS_PROXY` or `HTTP_PROXY`.",
			},
			deploy.MsgRefusedOther: {
				"Nothing was started. GitLab said no.[\nIts message: {detail}]\nOnce that is fixed, write “{write}” again. If it makes no sense, ask whoever runs psycher to look at the log.",
				"Nothing was started. GitLab rejected it.[\nIt says: {detail}]\nFix that and write “{write}” again. psycher's log has the rest.",
			},
			deploy.MsgRefusedUnreachable: {
				"Nothing was started. I waited for five minutes and could not reach GitLab.\nCheck that GitLab is up, and that `GITLAB_URL` and the network (proxy and certificates too) are right, then write “{write}” again.",
				"Nothing was started. GitLab could not be reached for five minutes.\nWrite “{write}” again when it is back. If it goes on, whoever runs psycher should check `GITLAB_URL` and the network.",
			},
			deploy.MsgRefusedRate: {
				"Nothing was started. I waited for five minutes, and GitLab's rate limit still held.\nGive it a little time, then write “{write}” again.",
				"Nothing was started. For five minutes, GitLab said nothing but “too many”.\nWrite “{write}” again when things have calmed down.",
			},
			deploy.MsgRefusedGone: {
				"Nothing was started. While this waited, [{target} was|its target was] taken out of the setting `GITLAB_TRIGGER_TOKENS`.\nIf it is still needed, ask whoever runs psycher to put it back, and write “{write}” again.",
			},

			// The status message of a deployment: one line.
			deploy.MsgStatusRunning: {
				"[Deploying {what}.|Deploying.][ {link:Pipeline}]",
				"[{what} is|This is] on its way.[ {link:Pipeline}]",
				"[Deploying {what}|Deploying]: I'll say here how it ends.[ {link:Pipeline}]",
			},
			deploy.MsgStatusUnsure: {
				"GitLab gave no clear answer: [{what} may|this may] or may not be deploying. Please check [{link:the pipelines}|the pipelines in GitLab] before anyone deploys again. I'll update this message when I know more.",
				"I asked GitLab to deploy[ {what}| this], but can't tell from its answer whether that started. Before anyone deploys again, please look at [{link:the pipelines}|the pipelines in GitLab]. I'll update this message when I find out.",
			},
			deploy.MsgStatusSilent: {
				"[{what} has|This has] not reported back.[ {link:Look in GitLab}]",
				"No word on how [{what} went|this went].[ {link:Look in GitLab}]",
			},
			deploy.MsgStatusSucceeded: {
				"[{what} is|This is] deployed.[ {link:Pipeline}]",
				"[The deploy of {what}|The deploy] succeeded.[ {link:Pipeline}]",
			},
			deploy.MsgStatusFailed: {
				"[The deploy of {what}|The deploy] failed.[ {link:Pipeline}]",
				"[The pipeline that deploys {what}|The pipeline] failed.[ {link:Pipeline}]",
			},
			deploy.MsgStatusCanceled: {
				"[The deploy of {what}|The deploy] was canceled.[ {link:Pipeline}]",
				"[The deploy of {what}|The deploy] was canceled partway through.[ {link:Pipeline}]",
			},
			deploy.MsgStatusPerson: {
				"[{what} is|This is] waiting in GitLab for somebody to start a manual job.[ {link:Pipeline}]",
				"[The deploy of {what}|The deploy] goes on once somebody starts its manual job in GitLab.[ {link:Pipeline}]",
			},
			deploy.MsgStatusRunner: {
				"[{what} has|This has] not started: no runner has taken it yet.[ {link:Pipeline}]",
				"[The deploy of {what}|The deploy] is still waiting for a runner to take it.[ {link:Pipeline}]",
			},
			deploy.MsgStatusNothing: {
				"[{what} was|This was] not deployed: the pipeline is over, and no deploy job ran.[ {link:Pipeline}]",
				"The pipeline is over, and [{what} was|this was] not deployed.[ {link:Pipeline}]",
			},
			deploy.MsgStatusRefused: {
				"Nothing was started. I waited, but [{what} could|this could] not be deployed.",
				"Nothing was started. After some waiting, I gave up on [{what}|this deploy].",
			},
			deploy.MsgStatusAnswered: {
				"Nothing was started. [{what} was|This was] withdrawn while it waited.",
				"Withdrawn: [{what} will|this will] not be deployed. Nothing was started.",
			},

			// Lines in the thread of a deployment.
			deploy.MsgSucceeded: {
				"[{target} is out!|It's out!] Nicely done :tada:",
				"[And {target} is live.|And it's live.] Another fine day's work (mine).",
				"Done! [{target} made|It made] it, safe and sound.",
				"[{target} is deployed.|Deployed.] Time for a cup of tea :tea:",
			},
			deploy.MsgFailed: {
				"[{user} ][The deploy of {target}|The deploy] failed[ ({detail})].[ {link:Pipeline}]\nFix it and write “{write}” again, or retry the failed job in GitLab.",
				"[{user} ][Deploying {target}|The deploy] went wrong[ ({detail})]. What happened is in [{link:the pipeline}|the pipeline in GitLab].\nOnce it's fixed, write “{write}” again or retry the job in GitLab.",
				"[{user} ]Ouch: [the deploy of {target}|the deploy] failed[ ({detail})].[ Have a look at {link:the pipeline}.]\nYou can retry the job in GitLab, or fix it and write “{write}” again.",
			},
			deploy.MsgCanceled: {
				"[{user} ][The deploy of {target}|The deploy] was canceled.[ {link:Pipeline}]\nIf nobody did that, GitLab may have, because of a newer push. To go on, run it again in GitLab or write “{write}”.",
				"[{user} ][The deploy of {target}|The deploy] was canceled partway through.[ {link:Pipeline}]\nPlease check how far it got, then run it again in GitLab or write “{write}”.",
			},
			deploy.MsgSilent: {
				"[{user} ][The deploy of {target}|The deploy] has not reported back in time. Please check in [{link:GitLab}|GitLab] how it went.\nIf it still reports back, I'll post it here.",
				"[{user} ]I have heard nothing of [the deploy of {target}|the deploy]. Could you check in [{link:GitLab}|GitLab] whether it worked?\nIf it reports late, I'll post it here.",
			},
			deploy.MsgNoneSeen: {
				"[{user} ]I looked, and GitLab shows no pipeline for [{what}|this deploy].[ {link:Pipelines}]\nWrite “{write}” again to start a new one.",
				"[{user} ][The deploy of {what}|This deploy] doesn't seem to have reached GitLab, which shows no pipeline for it.[ {link:Pipelines}]\nIf you want to deploy, write “{write}” once more.",
			},
			deploy.MsgRecovered: {
				"The retry did it! [{target} is|It's] deployed :tada:",
				"Second time lucky: [{target} is|it's] deployed after all.",
				"Fell over, got up, shipped it. [{target} is|It's] out!",
			},
			deploy.MsgFailedAfter: {
				"[{user} ][The deploy of {target}|The deploy] had succeeded, and now reports a failure[ ({detail})]. A job may have been run again.[ Please look at {link:the pipeline}.]\nI left the mark of success where it is.",
				"[{user} ][The deploy of {target}|The deploy] succeeded, but a failure was reported afterwards[ ({detail})]. The mark still shows the success.\nPlease check in [{link:the pipeline}|GitLab] what is live now.",
			},
			deploy.MsgUnseen: {
				"[{target} is|It's] deployed, I'm told. I couldn't see the jobs in GitLab, though, so please have a look at [{link:the pipeline}|the pipeline in GitLab].",
				"The word is that [{target} is|it's] deployed, but the jobs could not be seen in GitLab. Please check [{link:the pipeline}|the pipeline in GitLab].",
			},
			deploy.MsgNothing: {
				"[{user} ]The pipeline is over, but [{what} was not|nothing was] deployed.[ {link:Pipeline}]\n[Somebody has to start {detail} in GitLab. I'll say here how it ends.|No deploy job ran. Please check its `rules` in `.gitlab-ci.yml`.]",
				"[{user} ][{what} has not been|Nothing has been] deployed, though the pipeline is over.[ {link:Pipeline}]\n[{detail} waits for somebody to start it in GitLab. When it ends, I'll post it here.|It looks as if the deploy job was skipped. Please check its conditions in `.gitlab-ci.yml`.]",
			},
			deploy.MsgPerson: {
				"[{user} ][The deploy of {target}|The deploy] is waiting for a person in GitLab.[ {link:Pipeline}]\nIt goes on when somebody starts the manual job. I'll say here how it ends.",
				"[{user} ][The deploy of {target}|The deploy] needs a hand: somebody has to start the manual job in [{link:the pipeline}|GitLab].\nI'll post the result here.",
			},
			deploy.MsgOvertime: {
				"[The deploy of {target}|The deploy] is still going on[ after {detail}], which is longer than expected. GitLab says it hasn't ended, so I'll keep following it.[ {link:Pipeline}]",
				"[The deploy of {target}|The deploy] is taking longer than expected[ ({detail} so far)], but GitLab says it hasn't ended. I'm keeping an eye on it.[ {link:Pipeline}]",
			},
			deploy.MsgBrokenUnsure: {
				"[{user} ]Sorry, because of a bug on my side I can't tell whether [the deploy of {target}|the deploy] started.\nPlease don't deploy again before you have looked at [{link:the pipelines}|the pipelines in GitLab].",
				"[{user} ]Sorry, that's a bug on my side. [The deploy of {target}|The deploy] may be running.\nBefore anybody deploys again, please look at [{link:the pipelines}|the pipelines in GitLab].",
			},
		},
	}
}
