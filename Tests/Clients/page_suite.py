"""The page in a real headless Chromium (Debian: chromium, chromium-driver; PyPI: selenium).

    python Tests/Clients/page_suite.py http://127.0.0.1:8080 [FOLDER FOR SCREENSHOTS]

The server must take edits (a scratch store of its own is best), and its model must be a small one, e.g. SmolLM2-135M.
"""
import json, os, sys, time

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

BASE = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
SHOTS = sys.argv[2] if len(sys.argv) > 2 else None

options = webdriver.ChromeOptions()
for flag in ("--headless=new", "--no-sandbox", "--window-size=1280,900", "--disable-gpu"):
    options.add_argument(flag)
options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
driver.set_script_timeout(60)
logs = {"performance": [], "browser": []}


def css(selector):
    return driver.find_elements(By.CSS_SELECTOR, selector)


def wait(what, seconds=90):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.03)
    shot("timeout")
    raise AssertionError("it did not happen in time")


def shot(name):
    if SHOTS:
        os.makedirs(SHOTS, exist_ok=True)
        driver.save_screenshot(f"{SHOTS}/{name}.png")


def run(script, *values):
    return driver.execute_script(script, *values)


def press(*keys):
    driver.switch_to.active_element.send_keys(*keys)


def setting(name, value):
    run("const e=document.getElementById(arguments[0]);e.value=arguments[1];e.dispatchEvent(new Event('change'))",
        name, value)


def say(text):
    field = driver.find_element(By.ID, "input")
    field.send_keys(text)
    field.send_keys(Keys.ENTER)


def idle():
    return not driver.find_element(By.ID, "stop").is_displayed()


def asked(text):
    """Asks, and waits for the whole answer; its element."""
    count = len(css(".assistant .note"))
    say(text)
    wait(lambda: len(css(".assistant .note")) > count and idle())
    return css(".assistant")[-1]


def load(path="/"):
    driver.get(BASE + path)
    wait(lambda: "·" in driver.find_element(By.ID, "model").text)


def screen(width, height, dark=False):
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})


def fits():
    return run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")


checks = []


def check(name, condition, what=""):
    checks.append((name, bool(condition)))
    print("ok  " if condition else "FAIL", name, "" if condition else what)


def section(name):
    for kind in logs:
        logs[kind] += driver.get_log(kind)
    print(f"-- {name}")


# Answers of the server's that a test makes up: the next chat requests get these.
FAKE = """
const real = window.fetch;
window.fetch = async (path, init) => {
  if (!String(path).endsWith('chat/completions') || !window.fake) return real(path, init);
  window.lastRequest = JSON.parse(init.body);
  const fake = window.fake;
  if (fake.unreachable) throw new TypeError('Failed to fetch');
  if (fake.status) return new Response(fake.body, { status: fake.status });
  const chunk = (content) => 'data: ' + JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] }) + '\\n\\n';
  const events = [];
  for (const news of fake.news || []) events.push('data: ' + JSON.stringify({ choices: [], martlet: news }) + '\\n\\n');
  for (let at = 0; at < fake.text.length; at += fake.size || 7) events.push(chunk(fake.text.slice(at, at + (fake.size || 7))));
  if (fake.error) events.push('data: ' + JSON.stringify({ error: { message: fake.error } }) + '\\n\\n');
  if (!fake.error && !fake.broken) events.push('data: ' + JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: fake.reason || 'stop' }] }) + '\\n\\n', 'data: [DONE]\\n\\n');
  let place = 0;
  const body = new ReadableStream({ async pull(controller) {
    if (init.signal.aborted) return controller.error(new DOMException('aborted', 'AbortError'));
    if (fake.pause) await new Promise((done) => setTimeout(done, fake.pause));
    if (place < events.length) return controller.enqueue(new TextEncoder().encode(events[place++]));
    if (fake.broken) await new Promise((done) => setTimeout(done, 200));
    if (fake.broken) controller.error(new TypeError('network error')); else controller.close();
  } });
  return new Response(body, { status: 200, headers: { 'Content-Type': 'text/event-stream' } });
};
"""
driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": FAKE})


def fake(**reply):
    run("window.fake = arguments[0]", reply)


def real():
    run("window.fake = null")


def start():
    driver.find_element(By.ID, "new").click()


section("the page")
load()
run("localStorage.clear()")
load()
check("the model is named", driver.find_element(By.ID, "model").text.count("·") == 2)
check("the field has the focus", driver.switch_to.active_element.get_attribute("id") == "input")
check("a small model answers as usual by default", run("return document.getElementById('skeleton').value") == "off")
driver.find_element(By.ID, "toggle-settings").click()
check("and the page says why", "parameters" in driver.find_element(By.ID, "skeleton-why").text)
driver.find_element(By.ID, "toggle-settings").click()
names = run("""return [...document.querySelectorAll('button, input, select, textarea')].filter((node) =>
  !(node.getAttribute('aria-label') || node.textContent.trim() || node.labels?.length)).map((node) => node.outerHTML)""")
check("every control has a name", not names, names)
shot("1-empty")

section("an answer as usual")
setting("temperature", "0")
setting("max-tokens", "120")
say("Tell me about rivers.")
wait(lambda: css(".assistant .text") and css(".assistant .text")[-1].text)
early = css(".assistant .text")[-1].text
wait(idle)
final = css(".assistant .text")[-1].text
check("it streams and grows", len(final) >= len(early) > 0)
note = css(".assistant .note")[-1].text
check("the note tells tokens and time", "tokens in" in note or "token in" in note, note)
check("no savings are claimed", "saved" not in note)
check("the cut is told", "cut off at the limit" in note or len(final) < 700, note)
shot("2-normal")
css(".assistant .note button")[0].click()
wait(lambda: not idle())
wait(idle)
check("answer again replaces", len(css(".assistant")) == 1 and len(css(".user")) == 1)
driver.find_element(By.ID, "input").send_keys(Keys.ALT, "r")
wait(lambda: not idle())
wait(idle)
check("Alt+R answers again", len(css(".assistant")) == 1)
check("every answer has its correction", len(css(".assistant .correct")) == 1)

section("stop")
setting("max-tokens", "4000")
setting("temperature", "1.2")
for how in ("key", "button"):
    count = len(css(".assistant"))
    say("Write a very long story.")
    wait(lambda: len(css(".assistant")) > count and len(css(".assistant .text")[-1].text) > 20)
    if how == "key":
        driver.find_element(By.ID, "input").send_keys(Keys.ESCAPE)
    else:
        driver.find_element(By.ID, "stop").click()
    wait(idle, 5)
    check(f"the {how} stops and keeps the text", len(css(".assistant .text")[-1].text) > 20
          and "stopped" in css(".assistant .note")[-1].text)
check("a stopped answer tells no count of tokens", "token" not in css(".assistant .note")[-1].text)
kept = [e.text for e in css(".assistant .text")]

section("reload")
load()
check("the conversation is there", [e.text for e in css(".assistant .text")] == kept and len(css(".user")) == 3)
check("its notes too", "stopped" in css(".assistant .note")[-1].text)
check("settings are kept", run("return document.getElementById('max-tokens').value") == "4000")
check("every answer has its correction", len(css(".assistant .correct")) == 3)
driver.find_element(By.ID, "input").send_keys(Keys.ALT, "l")
wait(lambda: css("#conversations .name"))
check("it is listed by its question", css("#conversations .name")[0].text == "Tell me about rivers.")
start()
check("a new conversation is empty", not css(".message") and css(".empty"))
setting("max-tokens", "20")
setting("temperature", "0")
asked("Second conversation?")
check("both are listed, the newest first", [e.text for e in css("#conversations .name")]
      == ["Second conversation?", "Tell me about rivers."])
css("#conversations [aria-label^=Rename]")[0].click()
press(Keys.CONTROL, "a")
press("A <b>name</b>" + Keys.ENTER)
wait(lambda: css("#conversations .name")[0].text == "A <b>name</b>")
shot("3-list")
css("#conversations .name")[1].click()
wait(lambda: len(css(".user")) == 3)
check("another can be opened", [e.text for e in css(".assistant .text")] == kept)
load()
check("it is the one shown after a reload", len(css(".user")) == 3)
wait(lambda: len(css("#conversations .name")) == 2)
check("names are kept", "A <b>name</b>" in [e.text for e in css("#conversations .name")])
delete = css("#conversations [aria-label^=Delete]")
delete[0].click()
check("deleting asks first", len(css("#conversations .name")) == 2)
css("#conversations [aria-label^=Delete]")[0].click()
wait(lambda: len(css("#conversations .name")) == 1)
load()
check("what is deleted stays so", len(css("#conversations .name")) == 1)
run("localStorage.setItem('martlet.conversation.bad', '{broken'); localStorage.setItem('martlet.conversation.worse', '{\"id\":\"worse\",\"messages\":[{\"role\":\"x\"}]}')")
load()
check("what is damaged is passed over", len(css("#conversations .name")) == 1)
run("Object.keys(localStorage).filter(k=>k.startsWith('martlet.conversation')).forEach(k=>localStorage.removeItem(k))")
driver.find_element(By.ID, "toggle-list").click()
load()

section("the skeleton view")
setting("max-tokens", "512")
setting("skeleton", "on")
say("What are the benefits of walking?")
wait(lambda: css(".skeleton .draft") or idle())
shot("4-draft")
wait(lambda: css(".point") or idle())
shot("5-points")
wait(idle)
note = css(".assistant .note")[-1].text
points = css(".point")
if points:
    check("points are filled in", len(points) >= 3 and all("done" in p.get_attribute("class") for p in points))
    check("the note tells points and time", "points from a skeleton" in note and "saved" not in note, note)
    check("points stand side by side", len({round(p.rect["y"]) for p in points}) < len(points))
else:
    check("the note tells why it was written as usual", "written as usual" in note, note)
shot("6-filled")
check("it can be corrected", css(".assistant .correct")[-1].is_displayed())
load()
check("the mode is kept for this model", run("return document.getElementById('skeleton').value") == "on")
check("the answer is there after a reload", len(css(".assistant .text")[-1].text) > 20)
fake(text="1. Heads. One.\n2. Tails.", news=[
    {"event": "skeleton_text", "text": " 1."}, {"event": "skeleton", "points": [{"index": 1, "head": "Heads <b>"}, {"index": 2, "head": "Tails"}]},
    {"event": "point", "index": 1, "text": "One **two**."}, {"event": "point_ended", "index": 1}, {"event": "point", "index": 9, "text": "?"}])
asked("made up")
check("heads are text, points Markdown", css(".point b")[0].text == "1. Heads <b>" and css(".point strong")[0].text == "two")
real()

section("corrections in each mode")
start()
setting("max-tokens", "60")
setting("skeleton", "off")
before = asked("Who founded the Quillfeather bakery?").find_element(By.CSS_SELECTOR, ".text").text
css(".correct")[-1].click()
check("the form has the focus", driver.switch_to.active_element.tag_name == "input")
press("Maeve Ash" + Keys.ENTER)
wait(lambda: "in force" in css(".assistant")[-1].text)
shot("7-corrected")
for mode in ("off", "auto", "on"):
    setting("skeleton", mode)
    node = asked("Which person founded the Quillfeather bakery?")
    text = node.find_element(By.CSS_SELECTOR, ".text").text
    check(f"{mode}: a correction answers other words too", text == "Maeve Ash" != before, text)
    check(f"{mode}: the answer says which one", "correction" in node.find_element(By.CSS_SELECTOR, ".note").text.lower())
    other = asked("Write one sentence about the sea.")
    check(f"{mode}: other answers say nothing of it", not other.find_elements(By.CSS_SELECTOR, ".edited"))
check("every answer has its correction", len(css(".assistant .correct")) == len(css(".assistant")))
load()
check("after a reload the answers still say it", len(css(".edited")) == 3, len(css(".edited")))
css(".edited")[0].click()
wait(lambda: css("#edit-list li.wanted"))
shot("8-corrections")
css("#edit-list li.wanted button")[0].click()
wait(lambda: not css("#edit-list li.wanted"))
driver.find_element(By.ID, "toggle-edits").click()
setting("skeleton", "off")
# The model may still repeat it here, where the conversation says it three times.
check("undone, it is not named as the reason",
      not asked("Which person founded the Quillfeather bakery?").find_elements(By.CSS_SELECTOR, ".edited"))
# An older answer is corrected for its own question.
driver.execute_script("arguments[0].click()", css(".correct")[0])
check("an older answer asks for its own question", "Who founded the Quillfeather" in css(".correction label")[0].text)
css(".correction button")[-1].click()
start()
node = asked("Which person founded the Quillfeather bakery?")
text = node.find_element(By.CSS_SELECTOR, ".text").text
check("undone, it answers no more", text and "Maeve Ash" not in text, text)

section("errors in a sentence")
start()
for name, reply, words in [
    ("unreachable", {"unreachable": True, "text": ""}, "cannot be reached"),
    ("500", {"status": 500, "body": "<html>", "text": ""}, "answered 500"),
    ("400", {"status": 400, "body": json.dumps({"error": {"message": "`top_p` must be a number"}}), "text": ""}, "`top_p` must be a number."),
    ("401", {"status": 401, "body": "{}", "text": ""}, "API key"),
    ("an error in the stream", {"text": "Half an answer", "error": "the model gave no number"}, "The model gave no number."),
    ("a broken stream", {"text": "Half an answer", "broken": True}, "connection was lost"),
]:
    fake(**reply)
    node = asked("Question about " + name)
    check(f"{name}: a sentence", words in node.text, node.text)
    check(f"{name}: the part that arrived is kept", reply["text"] in node.text)
fake(text="Fine.")
asked("And now?")
told = run("return window.lastRequest.messages")
check("failed answers are not told to the model", all(m["content"] for m in told)
      and all(a["role"] != b["role"] for a, b in zip(told, told[1:])), told)
load()
check("errors are there after a reload", "connection was lost" in driver.find_element(By.ID, "conversation").text)
fake(text="x")
setting("temperature", "9")
say("Is it sent?")
check("a setting that cannot hold is told", driver.switch_to.active_element.get_attribute("id") == "temperature"
      and idle() and "Temperature" in driver.find_element(By.ID, "status").get_attribute("textContent"))
setting("temperature", "0")
driver.find_element(By.ID, "toggle-settings").click()
driver.find_element(By.ID, "input").clear()

section("Markdown")
start()
fake(text="# Title\n\nSome **bold**, *italic*, ~~gone~~ and `code <b>`.\n\n1. one\n   - deep\n2. two\n\n> said\n\n"
     "```python\nprint('<b>')\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[link](https://example.org/) and https://example.com/x.\n\n---\nsnake_case_name 2 * 3 * 4")
node = asked("Markdown")
for tag, text in [("h2", "Title"), ("strong", "bold"), ("em", "italic"), ("del", "gone"), ("p code", "code <b>"), ("ol li li", "deep"),
                  ("blockquote", "said"), ("pre code", "print('<b>')"), ("td", "1"), ("a", "link")]:
    found = node.find_elements(By.CSS_SELECTOR, ".text " + tag)
    check(f"{tag} is drawn", found and found[0].text == text, [e.text for e in found])
check("names and sums stay", "snake_case_name 2 * 3 * 4" in node.text)
check("addresses become links", len(node.find_elements(By.CSS_SELECTOR, ".text a")) == 2)
shot("9-markdown")

HOSTILE = """<script>document.title='bad'</script><img src=x onerror="document.title='bad'"><svg onload="document.title='bad'"></svg>
<iframe src="javascript:document.title='bad'"></iframe> <a href="javascript:document.title='bad'">a</a> <details open ontoggle="document.title='bad'">
[one](javascript:document.title='bad') [two](JaVaScRiPt:alert(1)) [three](&#106;avascript:alert(1)) [four](data:text/html,<script>alert(1)</script>)
[five]( vbscript:x ) [six](//evil.example/x) [seven](/martlet/edits) [eight](java\tscript:alert(1)) [nine](https://ok.example/"onmouseover="alert(1))
![ten](https://evil.example/x.png) ![eleven](javascript:alert(1)) [![twelve](https://a.example/)](javascript:alert(1)) <https://ok.example/"onclick=x>
<javascript:alert(1)> [th](file:///etc/passwd) [fo](blob:https://x) [fi](https:javascript) [s](http://a.example/\\"><img src=x onerror=alert(1)>)

# <img src=x onerror="document.title='bad'">
> <script>document.title='bad'</script>

- <img src=x onerror="document.title='bad'">

```html"><img src=x onerror="document.title='bad'">
</code></pre><script>document.title='bad'</script>
```

| <script>document.title='bad'</script> | b |
|---|---|
| <img src=x onerror="document.title='bad'"> | `</code><script>1</script>` |

**<script>document.title='bad'</script>** _<img src=x onerror="document.title='bad'">_ \u202ereversed\u202c \u0000 &lt;b&gt; ${1+1} {{7*7}}
"""
for way in ("streamed", "reloaded", "as a question", "as a point", "as a name"):
    if way == "streamed":
        fake(text=HOSTILE, size=3)
        asked("Hostile")
    elif way == "reloaded":
        load()
    elif way == "as a question":
        fake(text="ok")
        run("document.getElementById('input').value = arguments[0]", HOSTILE)
        driver.find_element(By.ID, "send").click()
        wait(lambda: len(css(".assistant")) > 2 and idle())
    elif way == "as a point":
        fake(text=HOSTILE, news=[{"event": "skeleton", "points": [{"index": 1, "head": HOSTILE}]},
                                 {"event": "point", "index": 1, "text": HOSTILE}, {"event": "point_ended", "index": 1}])
        asked("Hostile points")
    else:
        driver.find_element(By.ID, "toggle-list").click()
        run("const k = Object.keys(localStorage).find(k => k.startsWith('martlet.conversation')); const c = JSON.parse(localStorage[k]); c.title = arguments[0]; localStorage[k] = JSON.stringify(c)", HOSTILE)
        load()
    time.sleep(0.2)
    bad = run("""
      const inside = [...document.querySelectorAll('#conversation *, #list *')];
      const tags = inside.filter((n) => /^(script|img|svg|iframe|object|embed|style|link|form|details|video)$/i.test(n.tagName) || [...n.attributes].some((a) => /^on/i.test(a.name)));
      const links = inside.filter((n) => n.tagName === 'A' && !(/^https?:$/.test(n.protocol) && /^https?:\\/\\//i.test(n.getAttribute('href')) && n.rel.includes('noopener') && n.rel.includes('noreferrer')));
      return [...tags, ...links].map((n) => n.outerHTML)""")
    check(f"hostile text {way}: nothing runs", not bad and driver.title == "Martlet", bad)
driver.find_element(By.ID, "toggle-list").click()
hrefs = run("return [...new Set([...document.querySelectorAll('#conversation a')].map((a) => new URL(a.href).host))].sort()")
check("links go where they say", set(hrefs) <= {"ok.example", "evil.example", "a.example", "example.com", "example.org", "x"}, hrefs)

section("bombs and long answers")
BOMBS = {
    "emphasis": "*a **b _c __d ~~e " * 5000, "stars": "*" * 60000, "nested": "*a " * 15000 + "a* " * 15000,
    "brackets": "[" * 30000 + "]" * 30000, "links": "[a](" * 15000 + ")" * 15000, "pictures": "![a](https://x.example/)" * 3000,
    "ticks": "".join("`" * i + " " for i in range(300)), "quotations": "> " * 20000 + "x", "lists": "".join("  " * i + "- a\n" for i in range(300)),
    "tables": "|a" * 15000 + "\n|-|-\n", "spaces": " " * 100000 + "x" + " " * 100000, "hashes": "# " * 20000, "rules": "- " * 20000 + "x",
    "addresses": "https://" * 15000, "fences": "```\n" * 8000, "escapes": "\\" * 60000, "lines": "a\n" * 20000,
}
for name, bomb in BOMBS.items():
    took, depth = driver.execute_async_script("""
      const [text, done] = arguments;
      import('./markdown.js').then(({ markdown }) => {
        const started = performance.now(), box = document.createElement('div');
        box.append(markdown(text));
        let depth = 0;
        for (let open = [[box, 0]]; open.length;) { const [n, d] = open.pop(); depth = Math.max(depth, d); for (const c of n.children) open.push([c, d + 1]); }
        done([performance.now() - started, depth]);
      }).catch((problem) => done([1e9, String(problem)]))""", bomb)
    check(f"{name}: drawn in time, not too deep", took < 3000 and depth < 60, (took, depth))
start()
long = "".join(f"## Part {i}\n\nA line of **words** in a long answer, number {i}.\n\n- one\n- two\n\n" for i in range(2500))
fake(text=long, size=400)
began = time.monotonic()
node = asked("A long answer")
check("a long answer is drawn whole", "number 2499." in node.text and len(node.find_elements(By.CSS_SELECTOR, "h3")) == 2500)
check("and in time", time.monotonic() - began < 30, time.monotonic() - began)
check("the end is in sight", run("const c=document.getElementById('conversation');return c.scrollHeight-c.scrollTop-c.clientHeight<80"))
load()
check("and kept", len(css(".assistant h3")) == 2500)
start()
fake(text="".join("word " for _ in range(2000)), pause=5, size=5)
say("Slow")
wait(lambda: len(css(".assistant .text")[-1].text) > 50)
started = time.monotonic()
driver.find_element(By.ID, "stop").click()
wait(idle, 5)
check("stop is quick", time.monotonic() - started < 2)
fake(text="".join("word " for _ in range(2000)), pause=5, size=5)
say("Left")
wait(lambda: len(css(".assistant")) == 2 and len(css(".assistant .text")[-1].text) > 50)
start()
wait(idle, 5)
check("leaving an answer shows the new conversation", not css(".message"))
driver.find_element(By.ID, "toggle-list").click()
css("#conversations .name")[0].click()
wait(lambda: len(css(".user")) == 2)
check("the answer that was left is kept", len(css(".assistant .text")) == 2 and len(css(".assistant .text")[1].text) > 50)
run("""const filler = 'x'.repeat(250000);
  try { for (let i = 0; i < 60; i++) localStorage.setItem('martlet.conversation.full' + i, JSON.stringify({ id: 'full' + i, title: 'full', updated: i, messages: [{ role: 'user', content: filler }] })); } catch {}""")
fake(text="Fine " * 4000, size=4000)
asked("Does it still fit?")
load()
check("a full storage loses the oldest, not this one", "Does it still fit?" in driver.find_element(By.ID, "conversation").text)
run("localStorage.clear()")

section("telephone, dark, keyboard")
load()
for width, dark in [(360, False), (360, True), (1280, True), (768, False)]:
    screen(width, 740 if width < 500 else 900, dark)
    load()
    fake(text="# Title\n\n| a wide | table | of | many | columns |\n|---|---|---|---|---|\n| " + "word " * 9 + "| 1 | 2 | 3 | 4 |\n\n```c\n" + "long " * 60
         + "\n```\n" + "unbroken" * 40 + "\n\n1. one\n2. two", news=[{"event": "edit", "edit": {"id": 1}}])
    asked("Width " + "unbroken" * 20)
    name = f"{width}{'-dark' if dark else ''}"
    check(f"{name}: nothing is wider than the page", fits())
    shot(f"10-{name}")
    for panel in ("settings", "edits", "list"):
        driver.find_element(By.ID, "toggle-" + panel).click()
        wait(lambda: driver.find_element(By.ID, panel).is_displayed())
        check(f"{name}: {panel} fit", fits())
        if panel == "settings":
            shot(f"11-{name}-settings")
        driver.find_element(By.ID, "toggle-" + panel).click()
    contrast = run("""
      const rgb = (c) => c.match(/[\\d.]+/g).slice(0, 3).map(Number);
      const light = (c) => { const [r, g, b] = rgb(c).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
      const back = (n) => { for (; n; n = n.parentElement) { const c = getComputedStyle(n).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c; } return 'rgb(255,255,255)'; };
      return [...document.querySelectorAll('#model, .text, .note span, .note button, .user .text, a, code, #hint, header button, #send')].filter((n) => n.offsetParent && n.textContent.trim())
        .map((n) => [n.id || n.className || n.tagName, ratio(getComputedStyle(n).color, back(n))]).filter(([, r]) => r < 4.5)""")
    check(f"{name}: words can be read (contrast 4.5)", not contrast, contrast)
screen(1280, 900)
run("localStorage.clear()")
load()
back = run("return getComputedStyle(document.body).backgroundColor")
driver.find_element(By.ID, "theme").click()
check("light and dark differ", back != run("return getComputedStyle(document.body).backgroundColor")
      and driver.find_element(By.ID, "theme").get_attribute("aria-pressed") == "true")
load()
check("the theme is kept", back != run("return getComputedStyle(document.body).backgroundColor"))
fake(text="By keys.")
driver.find_element(By.ID, "input").send_keys("By keys" + Keys.ENTER)
wait(lambda: css(".correct") and idle())
run("document.getElementById('input').focus()")
seen = []
for _ in range(14):
    press(Keys.SHIFT, Keys.TAB)
    seen.append(run("const n = document.activeElement; return n.getAttribute('aria-label') || n.textContent.trim() || n.id"))
for control in ("Correct this", "Copy the answer", "Answer again", "Settings", "Corrections", "New", "Conversations", "Dark theme"):
    check(f"{control} is reached by keys", control in seen, seen)
driver.find_element(By.ID, "input").send_keys(Keys.ALT, "s")
check("Alt+S opens the settings", driver.find_element(By.ID, "settings").is_displayed()
      and driver.find_element(By.ID, "toggle-settings").get_attribute("aria-expanded") == "true")
check("the end of an answer is announced", "answer is complete" in driver.find_element(By.ID, "status").get_attribute("textContent"))

section("end")
urls = [json.loads(e["message"])["message"]["params"].get("request", {}).get("url") for e in logs["performance"]]
outside = [u for u in urls if u and not u.startswith((BASE, "data:", "chrome", "about:"))]
check("no request leaves the server", not outside, outside)
problems = [e["message"] for e in logs["browser"] if e["level"] == "SEVERE" and "503" not in e["message"]]
check("no errors in the console", not problems, problems)
driver.quit()
failed = sum(not ok for _, ok in checks)
print(f"{len(checks) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
