package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// axe is the accessibility checker, as a script.
func axe(t *testing.T) string {
	t.Helper()
	name := os.Getenv("AXE")
	if name == "" {
		t.Fatal("AXE is not set: the path of axe-core's axe.min.js; make page sets it")
	}
	script, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// accessible has axe check the page as it is.
func (p page) accessible(script string) {
	p.Helper()
	found := eval[json.RawMessage](p, script+`; axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations
		.filter((v) => ["serious", "critical", "moderate"].includes(v.impact))
		.map((v) => v.impact + " " + v.id + ": " + v.nodes.map((n) => n.html.slice(0, 200) + " " + n.failureSummary).join("\n")))`)
	var violations []string
	if err := json.Unmarshal(found, &violations); err != nil {
		p.Fatal(err)
	}
	for _, v := range violations {
		p.Error(v)
	}
}

// fits checks that nothing is wider than the window, and that what one can try is
// in sight.
func (p page) fits() {
	p.Helper()
	if wide := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
		p.Errorf("the page is %d pixels too wide", wide)
	}
	if below := eval[float64](p, `document.getElementById("examples").getBoundingClientRect().bottom + scrollY - innerHeight`); below > 0 {
		p.Errorf("the examples end %.0f pixels below the fold", below)
	}
}

func TestBothWidthsThemesAndLanguages(t *testing.T) {
	t.Parallel()
	script := axe(t)
	for _, lang := range []string{"ja", "en"} {
		t.Run(lang, func(t *testing.T) {
			p := open(t, lang, wide)
			p.accessible(script) // while it is empty
			p.does(story(lang)...)
			grounds := map[string]bool{}
			for _, v := range []view{wide, {width: 400, height: 860}, {width: 1280, height: 800, dark: true}, {width: 400, height: 860, dark: true}, {width: 900, height: 700}} {
				p.does(seenAs(v), until(fmt.Sprintf("innerWidth === %d", v.width)))
				p.fits()
				p.accessible(script)
				grounds[fmt.Sprint(v.dark, eval[string](p, `getComputedStyle(document.body).backgroundColor`))] = true
			}
			if len(grounds) != 2 {
				t.Errorf("light and dark are %v", grounds)
			}
			if got := eval[string](p, `document.documentElement.lang`); got != lang {
				t.Errorf("the page says that it is in %q", got)
			}
		})
	}
}

func TestTheThemeIsChosenAndKept(t *testing.T) {
	p := open(t, "en", wide)
	ground := `getComputedStyle(document.body).backgroundColor`
	light := eval[string](p, ground)
	p.does(push("#theme"), until(ground+` !== "`+light+`"`))
	if label := eval[string](p, `document.getElementById("theme").textContent`); label != "Light" {
		t.Errorf("the button says %q", label)
	}
	p.does(reload, until(`document.documentElement.dataset.ready === "true" && `+ground+` !== "`+light+`"`))
}

func TestTheLanguageIsThePagesAndTheBots(t *testing.T) {
	p := open(t, "en", wide)
	p.does(
		click("#ja"), until(`document.documentElement.lang === "ja" && document.getElementById("send").textContent === "送信"`),
		until(`document.getElementById("say").value === "@psycher app をリリースして"`), until(`document.querySelector("#bot .ready")`),
		write("@psycher よろしく"), until(`/[ぁ-ん]/.test(document.querySelector(".thread .text")?.textContent ?? "")`),
		click("#en"), until(`document.documentElement.lang === "en"`), until(`document.querySelector("#bot .ready")`),
		write("@psycher hello"), until(last+`.querySelector(".thread .text") && !/[ぁ-ん]/.test(`+last+`.textContent)`),
	)
}

// Every text exists in both languages.
func TestEverythingIsTranslated(t *testing.T) {
	p := open(t, "en", wide)
	missing := eval[[]string](p, `import("/words.js").then(({ words: { ja, en } }) => {
		const names = new Set([...Object.keys(ja), ...Object.keys(en), ...[...document.querySelectorAll("[data-t]")].map((e) => e.dataset.t), ...[...document.querySelectorAll("[data-label]")].map((e) => e.dataset.label)]);
		return [...names].filter((n) => !ja[n]?.length || !en[n]?.length);
	})`)
	for _, name := range missing {
		t.Errorf("no translation of %s", name)
	}
}

// A message is shown as Slack shows it, and no more: the page gets Slack's markup,
// and shows the rest as text.
func TestTextIsShownAsSlackShowsIt(t *testing.T) {
	p := open(t, "en", wide)
	for text, want := range map[string]string{
		"plain":                       "plain",
		"<@U0BOT> hi <@U0OTHER|kana>": `<span class="mention">@psycher</span> hi <span class="mention">@kana</span>`,
		"<!here> <#C1|general> <!subteam^S1|@ops>": `<span class="mention">@here</span> <span class="mention">#general</span> <span class="mention">@ops</span>`,
		"<https://example.com/?a=1&amp;b=2|here>":  `<a href="https://example.com/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">here</a>`,
		"<https://example.com>":                    `<a href="https://example.com" target="_blank" rel="noopener noreferrer">https://example.com</a>`,
		"<javascript:alert(1)|click>":              `&lt;javascript:alert(1)|click&gt;`,
		"*bold* _it_ ~gone~ a*b*c 2*3":             `<strong>bold</strong> <em>it</em> <s>gone</s> a*b*c 2*3`,
		"`code *x* &lt;b&gt;`":                     `<code>code *x* &lt;b&gt;</code>`,
		"a\n```one\n*two*```":                      "a<br><pre>one\n*two*</pre>",
		"``` open":                                 "``` open",
		"&gt; said\n&gt; more\nand":                "<blockquote>said<br>more</blockquote>and",
		":tada: :nothing:":                         `<span class="mark" role="img" aria-label="tada" data-mark="tada"></span> :nothing:`,
		"⚠ ⚠️ 🚀":                                   `<span class="mark" role="img" aria-label="warning" data-mark="warning"></span> <span class="mark" role="img" aria-label="warning" data-mark="warning"></span> <span class="mark" role="img" aria-label="rocket" data-mark="rocket"></span>`,
		":constructor:":                            `:constructor:`,
		"&lt;img src=x onerror=alert(1)&gt;":       `&lt;img src=x onerror=alert(1)&gt;`,
		"<b>x</b>":                                 `&lt;b&gt;x&lt;/b&gt;`,
		"&amp;lt;":                                 `&amp;lt;`,
	} {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		got := eval[string](p, `import("/mrkdwn.js").then(({ show }) => { const box = document.createElement("div"); box.append(...show(`+string(quoted)+`, { people: { U0BOT: "psycher" }, lang: "en" })); for (const drawing of box.querySelectorAll("svg")) drawing.remove(); return box.innerHTML; })`)
		if got != want {
			t.Errorf("%q is shown as\n%s, not\n%s", text, got, want)
		}
	}
	at := eval[string](p, `import("/mrkdwn.js").then(({ show }) => show("<!date^1700000000^{time}|22:13 UTC>", { people: {}, lang: "en" })[0]).then((n) => typeof n === "string" ? n : "a " + n.className)`)
	if !strings.HasSuffix(at, ":13") || len(at) != 5 {
		t.Errorf("the time is shown as %q", at)
	}
}

func TestTypedMarkupStaysText(t *testing.T) {
	p := open(t, "en", wide)
	for _, text := range []string{
		`@psycher <img src=x onerror="window.broken=1"><script>window.broken=1</script>`,
		`@psycher "><svg onload=window.broken=1> [x](javascript:window.broken=1) javascript:window.broken=1`,
		"```<script>window.broken=1</script>``` `<b onclick=window.broken=1>`",
		`<http://127.0.0.1/|"onmouseover="window.broken=1>`,
	} {
		p.does(write(text), until(last+`?.textContent.includes("broken=1")`))
	}
	p.does(until(`document.querySelectorAll(".thread .one").length >= 2`))
	if made := eval[int](p, `document.querySelectorAll("main img, main script, main svg:not(.mark > svg), main b, main [onmouseover], main [onclick], main a[href^=javascript]").length`); made != 0 {
		t.Errorf("it made %d elements", made)
	}
	if eval[bool](p, `"broken" in window`) {
		t.Error("its script ran")
	}
}

func TestEditAndReplyInAThread(t *testing.T) {
	p := open(t, "en", wide)
	p.does(
		write("@psycher hello"), until(`document.querySelectorAll(".thread .one").length === 1`),
		push(".message [id^=edit]"), until(`document.activeElement.id === "say" && document.getElementById("say").value === "@psycher hello"`),
		write("@psycher release app"),
		until(`document.querySelector(".message .text").textContent.includes("(edited)")`),
		until(`document.querySelectorAll(".thread .one").length === 2`), // it asks to post it again
		push(".message [id^=reply]"), until(`!document.getElementById("about").hidden`),
		write("@psycher release app"),
		until(`[...document.querySelectorAll(".thread .reactions")].some((r) => r.querySelector("[data-mark=white_check_mark]"))`),
	)
	if tops := eval[int](p, `document.querySelectorAll(".message").length`); tops != 1 {
		t.Errorf("there are %d messages at the top", tops)
	}
}

func TestTheBoxKeepsItsHistoryAndTheInputMethod(t *testing.T) {
	p := open(t, "en", wide)
	p.does(
		write("@psycher hello"), write("first line"), focus("#say"), press(kb.ArrowUp), until(`document.getElementById("say").value === "first line"`),
		focus("#say"), press(kb.ArrowUp), until(`document.getElementById("say").value === "@psycher hello"`),
		focus("#say"), press(kb.ArrowDown), focus("#say"), press(kb.ArrowDown), until(`document.getElementById("say").value === "@psycher "`),
	)
	p.does(until(last + `?.textContent.includes("first line")`)) // it is there before they are counted
	sent := `document.querySelectorAll(".message").length`
	was := eval[int](p, sent)
	eval[bool](p, `(() => { const b = document.getElementById("say"); b.value = "@psycher りりーす"; return b.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true })); })()`)
	p.does(write("after it"), until(last+`.textContent.includes("after it")`))
	if now := eval[int](p, sent); now != was+1 {
		t.Error("Enter sent what was still being converted")
	}
}

// With Tab alone a person reaches everything, and sees where the focus is.
func TestTheKeyboardReachesEverything(t *testing.T) {
	p := open(t, "en", wide)
	p.does(story("en")...)
	reached := map[string]bool{}
	p.does(until(`document.activeElement.blur() === undefined`))
	for range 90 {
		p.does(press(kb.Tab))
		at := eval[[]string](p, `[document.activeElement.id || document.activeElement.getAttribute("href") || document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle, document.activeElement.tagName]`)
		reached[at[0]] = true
		if at[1] == "none" && at[2] != "BODY" {
			t.Errorf("nothing shows that the focus is on %s %s", at[2], at[0])
		}
	}
	for _, id := range []string{"ja", "en", "theme", "messages", "say", "send", "pipelines", "cancel-1002", "job-100202", "raw", "as-yamada", "as-sato", "as-emma", "switch-fail-next", "all-faults", "switch-unreachable", "switch-limit", "switch-double", "switch-drop", "switch-kill", "switch-redis", "switch-freeze", "#say"} {
		if !reached[id] {
			t.Errorf("%s is not reached", id)
		}
	}
}
