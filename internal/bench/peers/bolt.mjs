// The bare bot once more, on Bolt for JavaScript.
import bolt from "@slack/bolt";

const { SLACK_APP_TOKEN, SLACK_BOT_TOKEN, SLACK_API_URL, GITLAB_URL, PROJECT, TRIGGER_TOKEN } = process.env;

const app = new bolt.App({
  token: SLACK_BOT_TOKEN,
  appToken: SLACK_APP_TOKEN,
  socketMode: true,
  logLevel: "error",
  clientOptions: { slackApiUrl: SLACK_API_URL },
});

app.event("app_mention", async ({ event, client }) => {
  if (!event.text.includes("release")) return;
  const resp = await fetch(`${GITLAB_URL}/api/v4/projects/${encodeURIComponent(PROJECT)}/trigger/pipeline`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      token: TRIGGER_TOKEN,
      ref: "master",
      variables: { channel: event.channel, timestamp: event.ts },
    }),
  });
  const made = await resp.json();
  if (!made.id) throw new Error(`GitLab answered ${resp.status}`);
  await client.reactions.add({ channel: event.channel, timestamp: event.ts, name: "thumbsup" });
});

process.on("SIGTERM", () => app.stop().finally(() => process.exit(0)));
await app.start();
