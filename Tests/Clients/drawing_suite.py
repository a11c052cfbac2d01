"""The page for drawing in a real headless Chromium (Debian: chromium, chromium-driver; PyPI: selenium).

    python Tests/Clients/drawing_suite.py http://127.0.0.1:8080 [FOLDER FOR SCREENSHOTS]

The server must have been started with --sense and a model of digits of 28x28 pixels, as `martlet sense train` makes of MNIST.
"""
import json, os, sys, time

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

BASE = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
SHOTS = sys.argv[2] if len(sys.argv) > 2 else None

options = webdriver.ChromeOptions()
for flag in ("--headless=new", "--no-sandbox", "--window-size=1280,900", "--disable-gpu"):
    options.add_argument(flag)
options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
checks = []


def find(name):
    return driver.find_element(By.ID, name)


def run(script, *values):
    return driver.execute_script(script, *values)


def wait(what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    shot("timeout")
    raise AssertionError("it did not happen in time")


def shot(name):
    if SHOTS:
        os.makedirs(SHOTS, exist_ok=True)
        driver.save_screenshot(f"{SHOTS}/{name}.png")


def check(name, condition, what=""):
    checks.append((name, bool(condition)))
    print("ok  " if condition else "FAIL", name, "" if condition else what)


def screen(width, height, dark=False):
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})


def pixels(name):
    """The shades of a canvas, from 0 to 255."""
    return run("const c=document.getElementById(arguments[0]);"
               "return [...c.getContext('2d').getImageData(0,0,c.width,c.height).data].filter((_,i)=>i%4===0)", name)


def caption():
    return find("recovered-caption").text


def decibels():
    return float(caption().split("ms: ")[1].split(" dB")[0])


def settled():
    """Waits until no request is on its way: what was recovered has stayed the same."""
    before, since = None, time.monotonic()
    while time.monotonic() - since < 0.6:
        now = (caption(), sum(pixels("recovered")))
        if now != before:
            before, since = now, time.monotonic()
        time.sleep(0.1)


def draw(*strokes):
    """Draws strokes of points in parts of the field's side."""
    field = find("drawing")
    size = field.size["width"]
    for stroke in strokes:
        actions = ActionChains(driver, duration=20)
        for place, (x, y) in enumerate(stroke):
            actions.move_to_element_with_offset(field, round((x - 0.5) * size), round((y - 0.5) * size))
            if place == 0:
                actions.click_and_hold()
        actions.release().perform()
    settled()


screen(1280, 900)
driver.get(BASE + "/draw.html")
wait(lambda: "numbers ·" in find("model").text)
wait(lambda: " dB" in caption())
settled()
about = json.loads(run("const r=new XMLHttpRequest();r.open('GET','martlet/sensing',false);r.send();return r.responseText"))
count = about["measurements"]
check("the page says what is measured", f"{count} numbers" in find("what").text, find("what").text)
check("an empty field gives black pixels", max(pixels("original")) == 0)

draw([(0.5, 0.15), (0.5, 0.5), (0.5, 0.85)])
original, recovered = pixels("original"), pixels("recovered")
check("a stroke is measured", max(original) > 200 and len(original) == about["height"] * about["width"])
ink = [at for at, shade in enumerate(original) if shade > 64]
rows = [at // about["width"] for at in ink]
check("it fills 20 of 28 rows", abs(max(rows) - min(rows) + 1 - round(about["height"] * 20 / 28)) <= 1, (min(rows), max(rows)))
middle = sum(at % about["width"] for at in ink) / len(ink)
check("it stands in the middle", abs(middle - (about["width"] - 1) / 2) < 1, middle)
check("there is a bar for each number", len(driver.find_elements(By.CSS_SELECTOR, "#numbers i")) == count)
shades = lambda one, other: sum((a - b) ** 2 for a, b in zip(one, other)) / sum(a * a for a in one)
check("a one comes back", shades(original, recovered) < 0.5, shades(original, recovered))
clean = decibels()
check("its error is told", clean > 12, caption())
shot("one")

find("clear").click()
settled()
check("Clear empties the field", max(pixels("original")) == 0)
find("example").click()
settled()
three = pixels("original")
check("the example is drawn", sum(three) > 5000)
check("a three comes back", shades(three, pixels("recovered")) < 0.6, shades(three, pixels("recovered")))
shot("three")

before = decibels()
run("const e=document.getElementById('noise');e.value=1;e.dispatchEvent(new Event('input'))")
wait(lambda: find("noise-value").text == "100 %")
settled()
check("noise makes it worse", decibels() < before, (before, caption()))
run("const e=document.getElementById('noise');e.value=0;e.dispatchEvent(new Event('input'))")
settled()
check("without noise it is as before", abs(decibels() - before) < 0.01, (before, caption()))

path = driver.find_elements(By.CSS_SELECTOR, "#path canvas")
check("latent steps are shown where the method has them", (len(path) > 1) == about["has_latent_path"], len(path))

# What was sent: to the server alone, and for recovering nothing but the numbers.
requests = []
for entry in driver.get_log("performance"):
    message = json.loads(entry["message"])["message"]
    if message["method"] == "Network.requestWillBeSent":
        requests.append(message["params"]["request"])
check("no request leaves the server", all(r["url"].startswith((BASE, "data:")) for r in requests),
      [r["url"][:80] for r in requests if not r["url"].startswith((BASE, "data:"))])
bodies = [json.loads(r["postData"]) for r in requests if r["url"].endswith("/martlet/sensing/image") and r.get("postData")]
check("only the numbers are sent to be recovered",
      bodies and all(set(body) <= {"measurements", "path"} and len(body["measurements"]) == count for body in bodies))

screen(1280, 900, dark=True)
dark = run("return getComputedStyle(document.body).backgroundColor")
shot("dark")
find("theme").click()
light = run("return getComputedStyle(document.body).backgroundColor")
check("light and dark", dark != light and find("theme").get_attribute("aria-pressed") == "false", (dark, light))
run("localStorage.clear()")
for width in (320, 390, 768):
    screen(width, 800)
    time.sleep(0.2)
    check(f"it fits into {width} pixels",
          run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
    shot(f"width-{width}")
problems = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
check("the console has no errors", not problems, problems)

driver.get(BASE + "/")
wait(lambda: run("const a=document.getElementById('to-drawing');return a && !a.hidden"))
check("the conversation links to it", find("to-drawing").get_attribute("href").endswith("/draw.html"))

driver.quit()
failed = [name for name, isRight in checks if not isRight]
print(f"{len(checks) - len(failed)} of {len(checks)} checks")
sys.exit(1 if failed else 0)
