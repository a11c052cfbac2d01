"""What the suites of this folder share: the server's address, plain requests beside the client under test, the run."""

import json, sys, traceback, urllib.error, urllib.request

import jsonschema

BASE = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"


def post(path, body, headers={}, base=BASE):
    """(status, JSON) of a request that no client has written."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def get(path, base=BASE):
    with urllib.request.urlopen(base + path, timeout=120) as reply:
        return reply.read().decode()


def user(text):
    return [{"role": "user", "content": text}]


def first_model():
    return json.loads(get("/v1/models"))["data"][0]["id"]


# ---- what several clients are asked for

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 20}, "unit": {"enum": ["c", "f"]}},
    "required": ["city", "unit"],
    "additionalProperties": False,
}
TIME = {
    "type": "object",
    "properties": {"zone": {"enum": ["UTC", "CET", "JST"]}},
    "required": ["zone"],
    "additionalProperties": False,
}
TOOLS = [
    {
        "type": "function",
        "function": {"name": "get_weather", "description": "The weather of a city", "parameters": CITY},
    },
    {"type": "function", "function": {"name": "get_time", "description": "The time in a zone", "parameters": TIME}},
]
PARAMETERS = {"get_weather": CITY, "get_time": TIME}
WEATHER_ONLY = {"type": "function", "function": {"name": "get_weather"}}

THING = {
    "type": "object",
    "additionalProperties": False,
    "required": ["colour", "count", "tags"],
    "properties": {
        "colour": {"enum": ["red", "blue"]},
        "count": {"type": "integer", "minimum": 3, "maximum": 12},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 6}, "maxItems": 2},
    },
}


def check_arguments(name, text):
    """The arguments of a call, which must be what the function takes."""
    arguments = json.loads(text)
    jsonschema.validate(arguments, PARAMETERS[name])
    return arguments


def run(tests):
    """Runs every `test_…` of a suite and ends the process: 1 where one fails."""
    passed = failed = 0
    for name, test in list(tests.items()):
        if not name.startswith("test_"):
            continue
        try:
            test()
            passed += 1
            print("ok  ", name, flush=True)
        except Exception as problem:
            failed += 1
            print("FAIL", name, repr(problem)[:600], flush=True)
            traceback.print_exc(limit=3)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
