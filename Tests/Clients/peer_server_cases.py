"""llama.cpp's cases of the server itself, of keys and origins, and of what is not here."""

import json

import openai

from peer_requests import CONTEXT, MODEL, answered, chat, complete, elsewhere, embed, refused, request, serving
from peer_table import REFUSED, case, nothing_to_ask
from suite import get, post, user

# ---- test_basic


@case("basic: server_start_simple")
def health():
    assert json.loads(get("/health"))["status"] == "ok"


@case("basic: server_props", "sleep: server_sleep (props)", verdict=REFUSED)
def props():
    return elsewhere("/props", "/v1/models", method="GET")


@case("basic: server_models")
def models():
    listed = json.loads(get("/v1/models"))["data"]
    assert len(listed) == 1 and listed[0]["id"] == MODEL and listed[0]["meta"]["n_ctx"] == CONTEXT
    status, _, answer = request("GET", "/models")
    assert status == 200 and json.loads(answer)["data"] == listed or status == 404 and "/v1/models" in answer, answer


@case(
    "basic: server_slots",
    "slot_save: slot_save_restore",
    "slot_save: slot_erase",
    "slot_save: slot_restore_*",
    verdict=REFUSED,
)
def slots():
    elsewhere("/slots", method="GET")
    return elsewhere("/slots/1?action=save", body={"filename": "x"})


@case("basic: no_webui", "security: access_static_assets_without_api_key")
def page():
    with serving("--api-key", "secret") as base:
        for path in ("/", "/page.css", "/page.js"):
            status, _, answer = request("GET", path, base)
            assert status == 200 and "error" not in answer[:20], (path, status)
        assert "<!doctype html>" in request("GET", "/", base)[2].lower()
    return "the page is always there"


@case("basic: server_model_aliases_and_tags")
def names():
    with serving("--name", "other-name") as base:
        assert json.loads(get("/v1/models", base))["data"][0]["id"] == "other-name"
        assert answered(chat(user("x"), base))["model"] == "other-name"
    return "one name, by --name"


nothing_to_ask("an address is given by --host in one form", "basic: server_start_with_host_family")
nothing_to_ask("a test of the GGUF reader, not of the server", "basic: load_split_model")

# ---- test_security


@case(
    "security: access_public_endpoint (/health)",
    "security: incorrect_api_key (2 forms)",
    "security: correct_api_key",
    "security: correct_api_key_anthropic_header",
    "security: openai_library_correct_api_key",
    "router: api_key_required",
)
def keys():
    with serving("--api-key", "secret") as base:
        assert request("GET", "/health", base)[0] == 200
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-Api-Key": "secre"}):
            status, body = post("/v1/completions", {"prompt": "x", "max_tokens": 1}, headers, base)
            assert status == 401 and body["error"]["type"] == "authentication_error", (headers, body)
        for headers in ({"Authorization": "Bearer secret"}, {"X-Api-Key": "secret"}):
            assert post("/v1/completions", {"prompt": "x", "max_tokens": 1}, headers, base)[0] == 200
        other = openai.OpenAI(base_url=base + "/v1", api_key="secret", max_retries=0)
        assert other.chat.completions.create(model="x", messages=user("x"), max_tokens=2).choices[0].message.content


@case("security: access_public_endpoint (/models)", verdict=REFUSED)
def models_need_a_key():
    with serving("--api-key", "secret") as base:
        status, _, answer = request("GET", "/v1/models", base)
        assert status == 401 and json.loads(answer)["error"]["type"] == "authentication_error"
    return REFUSED


ASKING = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


@case("security: cors_options (named origins)")
def named_origins():
    with serving("--cors-origin", "https://web.example.org") as base:
        status, headers, _ = request(
            "OPTIONS", "/v1/completions", base, {"Origin": "https://web.example.org", **ASKING}
        )
        assert status in (200, 204) and headers["Access-Control-Allow-Origin"] == "https://web.example.org", dict(
            headers
        )
        assert "POST" in headers["Access-Control-Allow-Methods"]
        assert headers["Access-Control-Allow-Headers"].lower() in ("*", "authorization")
        reply = request(
            "POST", "/v1/completions", base, {"Origin": "https://web.example.org"}, {"prompt": "x", "max_tokens": 1}
        )
        assert reply[0] == 200 and reply[1]["Access-Control-Allow-Origin"] == "https://web.example.org"


@case("security: cors_options (any origin)", verdict=REFUSED)
def other_origins():
    for origin in ("https://web.example.org", "null", "http://127.0.0.1.example.org", "origin"):
        status, headers, _ = request(
            "POST", "/v1/completions", headers={"Origin": origin}, body={"prompt": "x", "max_tokens": 1}
        )
        assert status == 403 and headers["Access-Control-Allow-Origin"] is None, (origin, status)
    return REFUSED


@case(
    "security: local_media_file (5 forms)",
    "vision_api: vision_chat_completion (10 forms)",
    "vision_api: vision_chat_completion_local_files (7 forms)",
    verdict=REFUSED,
)
def images():
    for url in ("file:///etc/passwd", "data:image/png;base64,AAAA", "https://example.org/x.png"):
        refused(
            chat(
                [
                    {
                        "role": "user",
                        "content": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": url}}],
                    }
                ]
            ),
            status=(400,),
        )


@case("vision_api: vision_completion (4 forms)", "vision_api: vision_embeddings (4 forms)", verdict=REFUSED)
def image_prompts():
    refused(complete({"prompt_string": "x", "multimodal_data": ["AAAA"]}), "prompt", status=(400,))
    refused(embed({"prompt_string": "x", "multimodal_data": ["AAAA"]}), "input", status=(400,))


# ---- what is elsewhere or nowhere


@case("compat_anthropic: all of /v1/messages", verdict=REFUSED)
def messages_api():
    elsewhere("/v1/messages/count_tokens", body={"messages": user("x")})
    return elsewhere("/v1/messages", "/v1/chat/completions", body={"messages": user("x"), "max_tokens": 5})


@case("compat_oai_responses: all of /v1/responses", verdict=REFUSED)
def responses_api():
    return elsewhere("/v1/responses", "/v1/chat/completions", body={"input": "x"})


@case(
    "infill: infill_without_input_extra",
    "infill: infill_with_input_extra",
    "infill: invalid_input_extra_req (5 forms)",
    "infill: with_qwen_model",
    verdict=REFUSED,
)
def infill():
    refused(complete("x", suffix="y"), "suffix")
    return elsewhere("/infill", body={"input_prefix": "x", "input_suffix": "y"})


@case("rerank: all of /rerank", verdict=REFUSED)
def rerank():
    return elsewhere("/rerank", body={"query": "x", "documents": ["y"]})


@case(
    "lora: lora (2 forms)",
    "lora: lora_per_request",
    "lora: lora_ram_prompt_cache",
    "lora: with_big_model",
    verdict=REFUSED,
)
def adapters():
    refused(complete("x", lora=[{"id": 0, "scale": 0.5}]), "lora")
    return elsewhere("/lora-adapters", body=[{"id": 0, "scale": 1}])


nothing_to_ask(
    "no draft model guesses ahead", "speculative: with_and_without_draft", "speculative: different_draft_min_draft_max"
)
nothing_to_ask(
    "a server has one model from its start to its end",
    "router: all but api_key_required",
    "stream: all, of the router",
    "sleep: all but props",
    "vision_api: *_supports_multimodal_capability ",
)
nothing_to_ask("the server calls no one and runs nothing", "proxy: all", "tools_builtin: all", "mcp_servers: all")
nothing_to_ask("states move between places of their own accord", "kv_keep_only_active: all", "prefill: all")
