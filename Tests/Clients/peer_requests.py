"""How the tests of llama.cpp's cases ask a server, and one of their own where a case needs it."""

import contextlib, json, os, socket, subprocess, sys, tempfile, time, urllib.error, urllib.request

import openai

from peer_table import KEPT, REFUSED
from suite import BASE, post

sys.path.append(os.path.join(os.path.dirname(__file__), "../../Scripts"))
from tiny_model import make_model  # noqa: E402

MARTLET = sys.argv[sys.argv.index("--martlet") + 1] if "--martlet" in sys.argv else None
client = openai.OpenAI(base_url=BASE + "/v1", api_key="none", max_retries=0)
MODEL = client.models.list().data[0].id
CONTEXT = client.models.list().data[0].model_extra["meta"]["n_ctx"]
LIFE = "The meaning of life, as my old teacher told us, is"


def chat(messages, base=BASE, **body):
    return post("/v1/chat/completions", {"messages": messages, "temperature": 0, "max_tokens": 8, **body}, base=base)


def complete(prompt, base=BASE, **body):
    return post("/v1/completions", {"prompt": prompt, "temperature": 0, "max_tokens": 8, **body}, base=base)


def answered(reply):
    status, body = reply
    assert status == 200, body
    return body


def refused(reply, *said, status=(400, 501)):
    """The refusal, which must name `said`."""
    code, body = reply
    assert code in status, (code, body)
    message = body["error"]["message"]
    assert body["error"]["type"] and all(text in message for text in said), message
    return message


def done_or_refused(reply, field, holds):
    """Kept where the field is done (`holds` must say so of the answer), refused where it is named."""
    if reply[0] == 200:
        assert holds(reply[1]), reply[1]
        return KEPT
    refused(reply, field)
    return REFUSED


def text(body):
    choice = body["choices"][0]
    return choice["message"]["content"] if "message" in choice else choice["text"]


def events(path, body, base=BASE, headers={}):
    """The events of a stream, which must end with [DONE]."""
    request = urllib.request.Request(
        base + path, json.dumps(body | {"stream": True}).encode(), {"Content-Type": "application/json", **headers}
    )
    with urllib.request.urlopen(request, timeout=120) as reply:
        lines = [line for line in reply.read().decode().split("\n\n") if line.startswith("data: ")]
    assert lines[-1] == "data: [DONE]", lines[-1]
    return [json.loads(line[6:]) for line in lines[:-1]]


def request(method, path, base=BASE, headers={}, body=None):
    """(status, headers, text)"""
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(base + path, data, {"Content-Type": "application/json", **headers}, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=60) as reply:
            return reply.status, reply.headers, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def elsewhere(path, *said, method="POST", body=None):
    """A path of llama.cpp's that is not here: 404, and where to go instead."""
    status, _, answer = request(method, path, body={} if body is None and method == "POST" else body)
    assert status == 404, (status, answer)
    message = json.loads(answer)["error"]["message"]
    assert all(part in message for part in said), f"{path}: {message!r} does not name {said}"
    return REFUSED


@contextlib.contextmanager
def tiny_model(context):
    """The folder of a model of random weights whose context ends soon."""
    with tempfile.TemporaryDirectory() as folder:
        make_model(f"{folder}/tiny", context)
        yield f"{folder}/tiny"


@contextlib.contextmanager
def serving(*more, model="box"):
    """A server of the built-in model, or another small one, with options of its own; its address."""
    if not MARTLET:
        raise LookupError("needs --martlet")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [MARTLET, "serve", model, "--port", str(port), "--no-edits", "--log-level", "warning", *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        base, end = f"http://127.0.0.1:{port}", time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError):
                if request("GET", "/health", base)[0] == 200:
                    break
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the server does not start with {more}, {model}")
            time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait(20)


def embed(given, **more):
    return post("/v1/embeddings", {"input": given, **more})
