"""What Scripts/fuzz_combinations.py demands of an answer: whole, rightly counted, and kept to what was asked for."""

import base64, datetime, ipaddress, json, math, re, struct

import jsonschema

from tiny_model import CONTEXT, LONGEST_TOKEN, WIDTH


class Violation(AssertionError):
    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def need(holds, kind, message):
    if not holds:
        raise Violation(kind, message)


def formats():
    """Formats as their standards have them, without the packages that jsonschema would want."""
    checker = jsonschema.FormatChecker(formats=())
    time = r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)"

    def is_date(text):
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            return False
        # Python has no year 0; it is a leap year like 2000.
        datetime.date.fromisoformat("2000" + text[4:] if text.startswith("0000") else text)
        return True

    checker.checks("date", ValueError)(lambda v: not isinstance(v, str) or is_date(v))
    checker.checks("time")(lambda v: not isinstance(v, str) or re.fullmatch(time, v, re.ASCII) is not None)
    checker.checks("date-time", ValueError)(
        lambda v: (
            not isinstance(v, str)
            or (len(v) > 11 and is_date(v[:10]) and v[10] in "Tt" and re.fullmatch(time, v[11:], re.ASCII) is not None)
        )
    )
    checker.checks("uuid")(
        lambda v: (
            not isinstance(v, str) or re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", v) is not None
        )
    )
    checker.checks("ipv4", ValueError)(lambda v: not isinstance(v, str) or bool(ipaddress.IPv4Address(v)) or True)
    checker.checks("email")(lambda v: not isinstance(v, str) or re.fullmatch(r"[^@\s]+@[^@\s]+", v) is not None)
    return checker


def no_constant(name):
    raise ValueError(f"{name} is no JSON")


class Choice:
    """One answer, whole or put together from its pieces."""

    def __init__(self):
        self.text, self.calls, self.reason, self.logprobs, self.has_logprobs = "", [], None, [], False


class Checker:
    def __init__(self):
        self.validators, self.formats = {}, formats()

    def check(self, request, status, headers, body):
        """Names of what came out, to be counted.

        - Throws: ``Violation`` where the answer is not as it must be.
        """
        need(status in (200, 400, 422, 429, 501), "status", f"status {status}")
        if status != 200:
            self.check_error(headers, body)
            return ["busy" if status == 429 else "refused"]
        if request.path == "/v1/embeddings":
            self.check_embeddings(request, self.parse(body))
            return ["answered", "embeddings"]
        is_chat = request.path == "/v1/chat/completions"
        if request.streams:
            need(headers.get("content-type", "").startswith("text/event-stream"), "framing", f"headers {headers}")
            choices, usage = self.take_events(request, body.decode(), is_chat)
        else:
            need(headers.get("content-type", "").startswith("application/json"), "framing", f"headers {headers}")
            choices, usage = self.take_whole(request, self.parse(body), is_chat)
        self.check_usage(request, choices, usage)
        outcomes = ["answered", "streamed" if request.streams else "whole"]
        for choice in choices:
            reasons = ("stop", "length", "function_call" if request.body.get("functions") else "tool_calls")
            need(choice.reason in reasons, "finish_reason", f"{choice.reason}")
            outcomes.append(f"ended by {choice.reason}")
            outcomes += self.check_chat(request, choice) if is_chat else self.check_completion(request, choice)
        return outcomes

    def parse(self, text):
        try:
            return json.loads(text, parse_constant=no_constant)
        except ValueError as problem:
            raise Violation("json", f"{problem}") from None

    def check_error(self, headers, body):
        error = self.parse(body).get("error")
        need(isinstance(error, dict), "error shape", "no `error` object")
        need(isinstance(error.get("message"), str) and error["message"], "error shape", "no message")
        need(isinstance(error.get("type"), str) and error["type"], "error shape", "no type")
        need(isinstance(error.get("param"), str | None) and "code" in error, "error shape", "no param or code")

    # ---- taking answers apart

    def asked(self, request):
        """How many answers there must be."""
        prompt = request.body.get("prompt")
        prompts = len(prompt) if isinstance(prompt, list) and not isinstance(prompt[0], int) else 1
        return prompts * (request.body.get("n") or 1)

    def take_whole(self, request, reply, is_chat):
        need(reply["object"] == ("chat.completion" if is_chat else "text_completion"), "shape", reply["object"])
        need(reply["id"].startswith("chatcmpl-" if is_chat else "cmpl-"), "shape", reply["id"])
        need(isinstance(reply["created"], int) and isinstance(reply["model"], str), "shape", "created or model")
        indexes = [choice["index"] for choice in reply["choices"]]
        need(indexes == list(range(self.asked(request))), "choices", f"indexes {indexes}")
        choices = []
        for given in reply["choices"]:
            choice = Choice()
            choice.reason = given["finish_reason"]
            if is_chat:
                message = given["message"]
                need(message["role"] == "assistant" and message["refusal"] is None, "shape", f"message {message}")
                need(isinstance(message["content"], str | None), "shape", "content is no text")
                choice.text, choice.calls = message["content"] or "", message.get("tool_calls") or []
                if message.get("function_call"):
                    choice.calls = [{"id": "only", "function": message["function_call"]}]
                need(message["content"] is not None or choice.calls, "shape", "neither content nor calls")
            else:
                choice.text = given["text"]
            self.take_logprobs(choice, given["logprobs"], is_chat)
            choices.append(choice)
        return choices, reply["usage"]

    def take_events(self, request, text, is_chat):
        need(text.endswith("\n\n"), "framing", "the stream does not end with an empty line")
        events = text[:-2].split("\n\n")
        need(events[-1] == "data: [DONE]", "framing", f"the last event is {events[-1][:200]!r}")
        choices = [Choice() for _ in range(self.asked(request))]
        started, identities, usage = set(), set(), None
        for event in events[:-1]:
            if event == ":":
                continue
            need(event.startswith("data: {") and "\n" not in event, "framing", f"event {event[:200]!r}")
            chunk = self.parse(event[6:])
            need("error" not in chunk, "error event", event[:300])
            need(chunk["object"] == ("chat.completion.chunk" if is_chat else "text_completion"), "shape", event[:200])
            identities.add(chunk["id"])
            need(usage is None, "framing", "something follows the usage")
            if not chunk["choices"]:
                need(chunk.get("usage") or "martlet" in chunk, "framing", f"an event without a choice: {event[:200]}")
                usage = chunk.get("usage")
            for piece in chunk["choices"]:
                need(0 <= piece["index"] < len(choices), "choices", f"index {piece['index']}")
                choice = choices[piece["index"]]
                need(choice.reason is None, "framing", f"choice {piece['index']} goes on after its end")
                if is_chat:
                    delta = piece["delta"]
                    need(
                        (piece["index"] in started) != ("role" in delta), "framing", "role not in the first piece alone"
                    )
                    started.add(piece["index"])
                    choice.text += delta.get("content") or ""
                    self.take_call_pieces(choice, delta.get("tool_calls") or [])
                    if old := delta.get("function_call"):
                        if "name" in old:
                            choice.calls.append({"id": "only", "function": {"name": old["name"], "arguments": ""}})
                        choice.calls[-1]["function"]["arguments"] += old.get("arguments") or ""
                else:
                    choice.text += piece["text"]
                self.take_logprobs(choice, piece.get("logprobs"), is_chat)
                choice.reason = piece["finish_reason"]
        need(len(identities) == 1, "framing", f"ids {identities}")
        for index, choice in enumerate(choices):
            need(choice.reason is not None, "choices", f"choice {index} of {len(choices)} has no end")
        wants = (request.body.get("stream_options") or {}).get("include_usage") is True
        need((usage is not None) == wants, "framing", f"usage {usage}, asked for: {wants}")
        return choices, usage

    def take_call_pieces(self, choice, pieces):
        for piece in pieces:
            if piece["index"] == len(choice.calls):
                need(piece["type"] == "function" and piece["id"] and piece["function"]["name"], "tools", f"{piece}")
                choice.calls.append(
                    {
                        "id": piece["id"],
                        "type": "function",
                        "function": {"name": piece["function"]["name"], "arguments": ""},
                    }
                )
            need(piece["index"] == len(choice.calls) - 1, "tools", f"index {piece['index']} of {len(choice.calls)}")
            choice.calls[-1]["function"]["arguments"] += piece["function"].get("arguments") or ""

    def take_logprobs(self, choice, given, is_chat):
        if given is None:
            return
        choice.has_logprobs = True
        if is_chat:
            choice.logprobs += given["content"] or []
            return
        lists = [given[name] for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset")]
        need(
            len({len(entries) for entries in lists}) == 1, "logprobs", f"lengths {[len(entries) for entries in lists]}"
        )
        choice.logprobs += [dict(zip(("token", "logprob", "top", "offset"), entry)) for entry in zip(*lists)]

    # ---- what must hold

    def check_usage(self, request, choices, usage):
        if usage is None:
            return
        need(usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"], "usage", f"{usage}")
        need(0 <= usage["prompt_tokens_details"]["cached_tokens"] <= usage["prompt_tokens"], "usage", f"{usage}")
        if (request.body.get("martlet") or {}).get("skeleton") in ("on", "auto"):
            return
        # Neither a stop string nor a grammar ends an answer sooner; what cannot be so long is refused.
        least = request.body.get("min_tokens") or 0
        if all(choice.reason != "length" for choice in choices):
            need(usage["completion_tokens"] >= least * len(choices), "usage", f"{usage}, at least {least} wanted")
        prompt = request.body.get("prompt")
        if isinstance(prompt, list) and not isinstance(prompt[0], str):
            # Each prompt counts once, however many answers it has.
            count = len(prompt) if isinstance(prompt[0], int) else sum(map(len, prompt))
            need(usage["prompt_tokens"] == count, "usage", f"{usage}, the prompts have {count} tokens")
        limits = [request.body.get(name) for name in ("max_tokens", "max_completion_tokens", "n_predict")]
        limit = min((value for value in limits if value is not None and value >= 0), default=None)
        if limit is None:
            return
        need(usage["completion_tokens"] <= limit * len(choices), "usage", f"{usage} with a limit of {limit}")
        if len(choices) == 1 and choices[0].reason == "length":
            # A full context ends an answer too, as does a stop string that cuts what must be whole.
            must_be_whole = request.schema is not None or request.choices is not None or bool(request.functions)
            need(
                usage["completion_tokens"] == limit
                or usage["total_tokens"] >= CONTEXT - 1
                or (must_be_whole and any(self.stops(request))),
                "usage",
                f"ended by length: {usage} with a limit of {limit}",
            )

    def check_value(self, schema, text, kind):
        try:
            value = json.loads(text, parse_constant=no_constant)
        except ValueError as problem:
            raise Violation(kind, f"{problem} in {text[:300]!r}") from None
        key = json.dumps(schema)
        if key not in self.validators:
            self.validators[key] = jsonschema.Draft202012Validator(schema, format_checker=self.formats)
        try:
            self.validators[key].validate(value)
        except jsonschema.ValidationError as problem:
            raise Violation(kind, f"{problem.message} in {text[:300]!r}, {problem.validator} of {key[:300]}") from None
        except RecursionError:
            pass  # a schema that refers to itself says nothing
        return value

    def stops(self, request):
        """The strings and tokens that may end an answer before it is whole."""
        stops = request.body.get("stop") or []
        return [stop for stop in ([stops] if isinstance(stops, str) else stops) if stop], request.body.get(
            "stop_token_ids"
        )

    def check_stops(self, request, choice):
        # In the first `min_tokens` tokens, of so many characters at most, they may stand.
        behind = choice.text[(request.body.get("min_tokens") or 0) * LONGEST_TOKEN :]
        for stop in self.stops(request)[0]:
            need(stop not in behind, "stop", f"{stop!r} in {choice.text[:200]!r}")

    def check_form(self, request, choice, text):
        strings, tokens = self.stops(request)
        if choice.reason != "stop" or strings or tokens:
            return []
        if request.schema is not None:
            self.check_value(request.schema, text, "schema")
            return ["kept to a schema"]
        if request.choices is not None:
            need(text in request.choices, "choice", f"{text[:100]!r}")
            return ["kept to a choice"]
        return []

    def check_chat(self, request, choice):
        outcomes = []
        tool_choice = request.body.get("tool_choice") or request.body.get("function_call")
        stops, stop_tokens = self.stops(request)
        offered = request.functions if tool_choice != "none" else {}
        need(
            bool(choice.calls) or choice.reason not in ("tool_calls", "function_call"),
            "tools",
            "ended by tool_calls without a call",
        )
        if choice.calls:
            whole = ("tool_calls", "function_call")
            need(
                choice.reason in (*whole, "length") or stops or stop_tokens, "tools", f"calls, ended by {choice.reason}"
            )
            outcomes.append("with calls")
        need(len({call["id"] for call in choice.calls}) == len(choice.calls), "tools", "two calls have one id")
        if request.body.get("parallel_tool_calls") is False:
            need(len(choice.calls) <= 1, "tools", f"{len(choice.calls)} calls, one allowed")
        for call in choice.calls:
            name = call["function"]["name"]
            need(name in offered, "tools", f"call of {name}")
            if isinstance(tool_choice, dict):
                need(name == tool_choice.get("function", tool_choice)["name"], "tools", f"call of {name}")
            if choice.reason in whole and not stops and not stop_tokens:
                schema, is_kept = offered[name]
                value = self.check_value(schema if is_kept else {}, call["function"]["arguments"], "arguments")
                need(isinstance(value, dict), "arguments", f"{call['function']['arguments'][:200]!r}")
        if offered and (tool_choice == "required" or isinstance(tool_choice, dict)) and not stops and not stop_tokens:
            need(
                choice.reason in ("tool_calls", "function_call", "length"),
                "tools",
                f"a call is required, ended by {choice.reason}",
            )
        if offered and not stops:
            # Where a call is cut, no piece of it is text. (Without a grammar's help the model could say so itself.)
            need("<tool_call>" not in choice.text, "tools", f"a call in the text {choice.text[:200]!r}")
            if choice.calls:
                need(not re.search(r"\n<\w*$", choice.text), "tools", f"a cut call in the text {choice.text[-200:]!r}")
            if tool_choice == "required" or isinstance(tool_choice, dict):
                need(not choice.text, "tools", f"a call alone is allowed, and the text is {choice.text[:200]!r}")
        if not choice.calls:
            outcomes += self.check_form(request, choice, choice.text)
        # A skeleton's own text may hold what its points may not.
        if not offered and not (request.body.get("martlet") or {}).get("skeleton"):
            self.check_stops(request, choice)
        wants = request.body.get("logprobs") is True
        need(choice.has_logprobs or not choice.text or not wants, "logprobs", "none came")
        need(wants or not choice.has_logprobs, "logprobs", "some came")
        if wants:
            self.check_chat_logprobs(request, choice)
        return outcomes

    def check_chat_logprobs(self, request, choice):
        count = request.body.get("top_logprobs") or 0
        for entry in choice.logprobs:
            need(math.isfinite(entry["logprob"]) and entry["logprob"] <= 1e-6, "logprobs", f"{entry}"[:300])
            need(
                len(entry["top_logprobs"]) == count,
                "logprobs",
                f"{len(entry['top_logprobs'])} alternatives, not {count}",
            )
            need(all(0 <= byte < 256 for byte in entry["bytes"] or []), "logprobs", f"{entry}"[:300])
            likeliest = [top["logprob"] for top in entry["top_logprobs"]]
            need(
                likeliest == sorted(likeliest, reverse=True) and all(map(math.isfinite, likeliest)),
                "logprobs",
                f"alternatives {likeliest}",
            )
        joined = "".join(entry["token"] for entry in choice.logprobs)
        need(joined == choice.text, "logprobs", f"tokens {joined[:200]!r}, content {choice.text[:200]!r}")
        # A token that shows all of its text has that text's bytes, and is no other one.
        for entry in choice.logprobs:
            if entry["token"] and entry["token"].isascii() and len(entry["bytes"]) == len(entry["token"]):
                need(bytes(entry["bytes"]) == entry["token"].encode(), "logprobs", f"{entry}"[:300])

    def check_completion(self, request, choice):
        wants = request.body.get("logprobs") is not None
        need(wants or not choice.has_logprobs, "logprobs", "some came")
        echoes = request.body.get("echo") is True
        prompt = request.body["prompt"]
        if echoes and isinstance(prompt, str):
            need(choice.text.startswith(prompt), "echo", f"{choice.text[:100]!r}")
        outcomes = []
        if not echoes:
            self.check_stops(request, choice)
            outcomes = self.check_form(request, choice, choice.text)
        offsets = [entry["offset"] for entry in choice.logprobs]
        need(offsets == sorted(offsets), "logprobs", f"offsets {offsets[:40]}")
        for place, entry in enumerate(choice.logprobs):
            if entry["logprob"] is None:
                need(echoes and place == 0, "logprobs", f"none at {place}")
                continue
            need(math.isfinite(entry["logprob"]) and entry["logprob"] <= 1e-6, "logprobs", f"{entry}"[:300])
            count = request.body["logprobs"]
            need(count == 0 or (entry["top"] and len(entry["top"]) <= count + 1), "logprobs", f"{entry}"[:300])
            need(all(map(math.isfinite, (entry["top"] or {}).values())), "logprobs", f"{entry}"[:300])
        return outcomes

    def check_embeddings(self, request, reply):
        given = request.body["input"]
        count = len(given) if isinstance(given, list) and not isinstance(given[0], int) else 1
        need([item["index"] for item in reply["data"]] == list(range(count)), "embeddings", "indexes")
        for item in reply["data"]:
            vector = item["embedding"]
            need(isinstance(vector, str) == (request.body.get("encoding_format") == "base64"), "embeddings", "encoding")
            if isinstance(vector, str):
                data = base64.b64decode(vector, validate=True)
                vector = struct.unpack(f"<{len(data) // 4}f", data)
            need(len(vector) == (request.body.get("dimensions") or WIDTH), "embeddings", f"{len(vector)} dimensions")
            need(abs(math.sqrt(sum(x * x for x in vector)) - 1) < 1e-3, "embeddings", "length not 1")
