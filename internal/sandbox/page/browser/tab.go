package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// within bounds each wait.
const within = 30 * time.Second

// launch starts a browser without a screen. Its end is cancel's.
func launch() (ctx context.Context, cancel func(), err error) {
	// What moves all the time would keep a core busy in each tab.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.Flag("disable-gpu", true), chromedp.Flag("force-prefers-reduced-motion", true), chromedp.Flag("hide-scrollbars", false))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	if program := os.Getenv("CHROMIUM"); program != "" {
		options = append(options, chromedp.ExecPath(program))
	}
	alloc, endAlloc := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(alloc)
	cancel = func() { end(); endAlloc() }
	if err := begin(ctx); err != nil {
		cancel()
		return nil, nil, fmt.Errorf("starting chromium: %w", err)
	}
	return ctx, cancel, nil
}

// begin starts the browser or tab of a context. It lives as long as the context of
// this first call, so that context may have no deadline.
func begin(ctx context.Context) error {
	_, err := chromedp.Run(ctx, chromedp.Steps())
	return err
}

// tab is a page in a browser context of its own, and all that went wrong in it.
type tab struct {
	ctx   context.Context
	close func()

	mu       sync.Mutex
	problems []string
	pages    int // that were loaded
	streams  int // of events that were opened
}

// view is how a person sees the page.
type view struct {
	width, height int64
	dark          bool
}

// action is something done in a browser, without a result.
type action = chromedp.Action[chromedp.Void]

func openTab(browser context.Context, d *demo, v view) (*tab, error) {
	t := &tab{}
	t.ctx, t.close = chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(func(e any) { t.notice(e, d.origin()) }))
	if err := begin(t.ctx); err != nil {
		return t, err
	}
	return t, t.run(seenAs(v), chromedp.Navigate(d.url), until(`document.documentElement.dataset.ready === "true"`))
}

// notice records what the browser's console would show, and requests to other
// hosts.
func (t *tab) notice(e any, origin string) {
	problem := ""
	switch e := e.(type) {
	case *runtime.EventExceptionThrown:
		problem = "exception: " + exceptionOf(e.ExceptionDetails)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			problem = fmt.Sprintf("console: %s %s", e.Type, e.Args[0].Value)
		}
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError || e.Entry.Level == cdplog.EntryLevelWarning {
			problem = "log: " + e.Entry.Text + " " + e.Entry.URL
		}
	case *network.EventRequestWillBeSent:
		t.count(e)
		if url := e.Request.URL; !strings.HasPrefix(url, origin) && !strings.HasPrefix(url, "data:") {
			problem = "a request outside: " + url
		}
	}
	if problem != "" {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.problems = append(t.problems, problem)
	}
}

func (t *tab) count(e *network.EventRequestWillBeSent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e.Type {
	case network.ResourceTypeDocument:
		t.pages++
	case network.ResourceTypeEventSource:
		t.streams++
	}
}

func (t *tab) noticed() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.streams > t.pages {
		return append(t.problems, fmt.Sprintf("%d streams of events were opened by %d pages: they broke off", t.streams, t.pages))
	}
	return t.problems
}

func (t *tab) run(actions ...action) error {
	ctx, cancel := context.WithTimeout(t.ctx, within)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Steps(actions...))
	return err
}

func seenAs(v view) action {
	scheme := "light"
	if v.dark {
		scheme = "dark"
	}
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: v.width, Height: v.height, DeviceScaleFactor: 1}); err != nil {
			return err
		}
		// Else only one of many tabs has the keyboard.
		if _, err := cdp.Call(ctx, t, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
		})
		return err
	})
}

// until waits until an expression is true, which the page itself checks, though not
// at each animation frame: pages in the background have none.
func until(expression string) action {
	wait := `new Promise((done) => {
		const look = () => { if (` + expression + `) done(true); else setTimeout(look, 20); };
		look();
	})`
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := chromedp.Evaluate[bool](wait, chromedp.EvalAwaitPromise)(ctx, t); err != nil {
			return fmt.Errorf("until %s: %w", expression, err)
		}
		return nil
	})
}

// write types a message in place of the box's text, and sends it.
func write(text string) action {
	return steps(
		focus("#say"), until(`document.getElementById("say").select() === undefined`),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
			return err
		}),
		enter,
		until(`document.getElementById("say").value === "@psycher "`),
	)
}

// enter presses Enter as a keyboard does: where the page takes the key for
// itself, no character comes after it.
var enter action = chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		pressed := input.DispatchKeyEventParams{Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13}
		if kind == input.DispatchKeyEventTypeKeyDown {
			pressed.Text = "\r"
		}
		if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, pressed); err != nil {
			return err
		}
	}
	return nil
})

func focus(selector string) action {
	return until(fmt.Sprintf(`document.querySelector(%q)?.focus() === undefined && document.activeElement.matches(%q)`, selector, selector))
}

// push presses a button by the keyboard.
func push(selector string) action { return steps(focus(selector), enter) }

func click(selector string) action { return chromedp.Click(chromedp.CSS(selector)) }

func press(pressed string) action { return chromedp.KeyEvent(pressed) }

func steps(actions ...action) action { return chromedp.Steps(actions...) }

var reload = chromedp.Reload()

// last is the newest mention, and within it.
const last = `[...document.querySelectorAll(".message")].at(-1)`

// marked waits until the newest mention has just this reaction.
func marked(name string) action {
	return until(fmt.Sprintf(`[...(%s?.querySelector(".one .reactions")?.children ?? [])].map((r) => r.firstChild.dataset?.mark).join() === %q`, last, name))
}

func exceptionOf(d *runtime.ExceptionDetails) string {
	if d.Exception != nil {
		return d.Text + " " + d.Exception.Description
	}
	return d.Text
}
