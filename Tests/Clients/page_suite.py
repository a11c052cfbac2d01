"""The page in a real headless Chromium (Debian: chromium, chromium-driver; PyPI: selenium).

    python Tests/Clients/page_suite.py http://127.0.0.1:8080 [FOLDER FOR SCREENSHOTS]
"""
import json, os, sys, time

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

BASE = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
SHOTS = sys.argv[2] if len(sys.argv) > 2 else None

options = webdriver.ChromeOptions()
for flag in ("--headless=new", "--no-sandbox", "--window-size=1000,800", "--disable-gpu"):
    options.add_argument(flag)
options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))


def css(selector):
    return driver.find_elements(By.CSS_SELECTOR, selector)


def wait(what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.03)
    raise AssertionError("it did not happen in time")


def shot(name):
    if SHOTS:
        os.makedirs(SHOTS, exist_ok=True)
        driver.save_screenshot(f"{SHOTS}/{name}.png")


def choose(value):
    driver.execute_script("const e=document.getElementById('skeleton');e.value=arguments[0];"
                          "e.dispatchEvent(new Event('change'))", value)


def say(text):
    field = driver.find_element(By.ID, "input")
    field.send_keys(text)
    field.send_keys(Keys.ENTER)


def idle():
    return not driver.find_element(By.ID, "stop").is_displayed()


checks = []


def check(name, condition):
    checks.append((name, bool(condition)))
    print("ok  " if condition else "FAIL", name)


driver.get(BASE + "/")
wait(lambda: "·" in driver.find_element(By.ID, "model").text)
check("the model is named", driver.find_element(By.ID, "model").text.count("·") == 2)
check("the field has the focus", driver.switch_to.active_element.get_attribute("id") == "input")
shot("1-empty")

# A normal answer streams in.
choose("off")
driver.execute_script("document.getElementById('temperature').value=0;document.getElementById('max-tokens').value=120")
say("Tell me about rivers.")
wait(lambda: css(".assistant .text") and css(".assistant .text")[-1].text)
early = css(".assistant .text")[-1].text
check("it streams", not idle() or len(early) > 0)
wait(idle)
final = css(".assistant .text")[-1].text
check("the text grew", len(final) >= len(early) > 0)
check("the note names tokens and time", "tokens in" in css(".assistant .note")[-1].text)
shot("2-normal")

# Answering again gives another answer in the same place.
css(".assistant .note button")[0].click()
wait(lambda: not idle())
wait(idle)
check("answer again replaces", len(css(".assistant")) == 1 and len(css(".user")) == 1)
driver.find_element(By.ID, "input").send_keys(Keys.ALT, "r")
wait(lambda: not idle())
wait(idle)
check("Alt+R answers again", len(css(".assistant")) == 1)

# Stop keeps what is there.
driver.execute_script("document.getElementById('max-tokens').value=4000;document.getElementById('temperature').value=1.2")
say("Write a very long story.")
wait(lambda: len(css(".assistant .text")[-1].text) > 20)
driver.find_element(By.ID, "input").send_keys(Keys.ESCAPE)
wait(idle, 5)
check("Escape stops and keeps the text", len(css(".assistant .text")[-1].text) > 20
      and "stopped" in css(".assistant .note")[-1].text)

# The skeleton view: the draft first, then the points side by side.
driver.execute_script("document.getElementById('max-tokens').value=512;document.getElementById('temperature').value=0")
driver.find_element(By.ID, "new").click()
check("a new conversation is empty", not css(".message") and css(".empty"))
choose("on")
say("What are the benefits of walking?")
wait(lambda: css(".skeleton .draft"))
shot("3-draft")
wait(lambda: css(".point"))
shot("4-points")
wait(idle)
points = css(".point")
check("points are filled in", len(points) >= 3 and all("done" in p.get_attribute("class") for p in points))
check("the note tells the time", "points in" in css(".assistant .note")[-1].text)
check("points stand side by side", len({round(p.rect["y"]) for p in points}) < len(points))
shot("5-filled")

# Dark, narrow, settings.
driver.find_element(By.ID, "theme").click()
shot("6-dark")
background = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
driver.find_element(By.ID, "theme").click()
check("light and dark differ", background != driver.execute_script(
    "return getComputedStyle(document.body).backgroundColor"))
driver.find_element(By.ID, "input").send_keys(Keys.ALT, "s")
check("Alt+S opens the settings", driver.find_element(By.ID, "settings").is_displayed())
driver.set_window_size(400, 800)
shot("7-narrow")
driver.find_element(By.ID, "toggle-settings").click()
check("nothing is wider than a telephone", driver.execute_script(
    "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
driver.refresh()
wait(lambda: "·" in driver.find_element(By.ID, "model").text)
check("settings are kept", driver.find_element(By.ID, "skeleton").get_attribute("value") == "on")

# Markup in a message stays text.
driver.set_window_size(1000, 800)
choose("off")
say("<img src=x onerror=document.title='bad'><b>hi</b>")
wait(lambda: css(".user .text"))
wait(idle)
check("markup stays text", css(".user .text")[-1].text.startswith("<img") and driver.title == "Martlet")

# A wrong answer is put right, found again in other words, and taken back.
driver.find_element(By.ID, "new").click()
say("Who founded the Quillfeather bakery?")
wait(lambda: css(".correct"))
wait(idle)
before = css(".assistant .text")[-1].text
css(".correct")[-1].click()
css(".correction input")[-1].send_keys("Maeve Ash" + Keys.ENTER)
wait(lambda: "in force" in css(".assistant")[-1].text)
shot("8-corrected")
say("Which person founded the Quillfeather bakery?")
wait(lambda: len(css(".assistant")) == 2 and idle())
wait(lambda: "correction" in css(".assistant")[-1].text)
check("a correction answers other words too", css(".assistant .text")[-1].text == "Maeve Ash" and before != "Maeve Ash")
driver.find_element(By.ID, "toggle-edits").click()
wait(lambda: css("#edit-list button"))
shot("9-corrections")
lines = len(css("#edit-list button"))
css("#edit-list button")[-1].click()
wait(lambda: len(css("#edit-list button")) == lines - 1)
driver.find_element(By.ID, "toggle-edits").click()
say("Which person founded the Quillfeather bakery?")
wait(lambda: len(css(".assistant")) == 3 and css(".assistant")[-1].find_elements(By.CSS_SELECTOR, ".note"))
wait(idle)
check("undone, it answers no more", css(".assistant .text")[-1].text != "Maeve Ash")

# No request went elsewhere, and nothing was complained of.
urls = [json.loads(e["message"])["message"]["params"].get("request", {}).get("url") for e in driver.get_log("performance")]
outside = [u for u in urls if u and not u.startswith((BASE, "data:", "chrome"))]
check("no request leaves the server", not outside)
problems = [e["message"] for e in driver.get_log("browser") if e["level"] == "SEVERE"]
check("no errors in the console", not problems)
print(*outside, *problems, sep="\n")
driver.quit()
failed = sum(not ok for _, ok in checks)
print(f"{len(checks) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
