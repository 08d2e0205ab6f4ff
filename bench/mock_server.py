#!/usr/bin/env python3
"""A mock of an OpenAI-compatible chat-completions server on loopback: fixed latency, injected faults, counted prefixes.

    python bench/mock_server.py --port 8100 --latency-ms 50

POST /v1/chat/completions answers in the roles of clinic_sim, told apart by the first line of the system prompt. GET
/stats counts requests, faults and the share of prompt tokens that repeat an earlier request's prefix; POST /reset
forgets them; POST /config takes JSON with any of the options. It speaks HTTP on a bare asyncio protocol, so that the
mock costs little beside what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import json
import random
import re
import subprocess
import sys
import urllib.request
from types import TracebackType
from typing import Any, ClassVar

try:
    import orjson

    _load, _dump = orjson.loads, orjson.dumps
except ImportError:
    _load = json.loads

    def _dump(data: Any) -> bytes:
        return json.dumps(data, ensure_ascii=False).encode()


OPTIONS: dict[str, Any] = {
    "latency_ms": 50.0,
    "jitter_ms": 0.0,
    "p500": 0.0,
    "p429": 0.0,
    "pmal": 0.0,
    "phang": 0.0,
    "retry_after_s": 1.0,
    "hang_s": 60.0,
    "down": 0,
    "conclude_at": 8,
    "seed": 1,
}
_ROLE = re.compile(r"\AROLE: ([A-Z]+)")
_FACT = re.compile(r"^- (f\d+)[^|\n]*\|[^|\n]*\| (.*)$", re.MULTILINE)
_HINT = re.compile(r"f\d+")
_ITEM = re.compile(r"^- \[(\w+)\] (.*)$", re.MULTILINE)
_HAPPENED = re.compile(
    r"put at least one question to the patient|patient say anything to the doctor|speak to the patient more than once"
    r"|examiner reply to the doctor at least once|doctor enter a conclusion"
    r"|至少向患者提过一个问题|患者是否对医生说过话|对患者说话是否不止一次|至少回复过医生一次|是否写下了结论"
)
"""Questions whose answer is yes in whatever consultation the mock doctor leads: a judge must not deny them."""
_QUESTIONS = {
    "en": ("When did it start?", "Does anything make it worse?", "Any fever or chills?", "Any past illnesses?",
           "Do you take any medicines?", "Any allergies?", "Do you smoke?", "What worries you most?"),
    "zh": ("什么时候开始的？", "什么情况下会加重？", "有没有发热？", "以前得过什么病？", "平时吃什么药吗？",
           "有没有过敏？", "抽烟吗？", "您最担心什么？"),
}  # fmt: skip


class State:
    """What was asked since the last reset."""

    def __init__(self) -> None:
        self.options = dict(OPTIONS)
        self.sequence = 0
        self.reset()

    def reset(self) -> None:
        self.requests: list[tuple[str, list[dict[str, Any]]]] = []
        self.faults = {"http500": 0, "http429": 0, "malformed": 0, "hang": 0}
        self.random = random.Random(self.options["seed"])  # noqa: S311
        self.inflight = self.peak = 0


def text_of(content: Any) -> str:
    """The text of a message's content, whatever its form."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


def answer(role: str, request: dict[str, Any], state: State) -> dict[str, Any]:
    """The message with which this role answers."""
    messages, tools = request["messages"], bool(request.get("tools"))
    form = ((request.get("response_format") or {}).get("json_schema") or {}).get("schema")
    state.sequence += 1
    first = text_of(messages[0].get("content"))
    if role == "patient":
        facts = _FACT.findall(first)
        hinted = _HINT.findall(text_of(messages[-1].get("content")).split("\n", 1)[0])
        told = [(f, words) for f, words in facts if f in hinted][:2]
        zh = "\u4e00" <= first[15:16] <= "\u9fff"
        polite = ("嗯，医生。", "是这样的，医生。") if zh else ("Well, doctor. ", "Let me think. ")
        said = polite[state.sequence % 2] + ("" if zh else " ").join(w for _, w in told)
        if not told:
            said += "这个我说不清楚。" if zh else "I couldn't say."
        return {"content": json.dumps({"facts": [f for f, _ in told], "say": said}, ensure_ascii=False)}
    if role == "judge":
        everything = "\n".join(text_of(m.get("content")) for m in messages)
        verdicts = [
            {"id": item, "reason": f"Seen, {state.sequence}.", "quote": "", "met": bool(_HAPPENED.search(question))}
            for item, question in dict(_ITEM.findall(everything)).items()
        ]
        return {"content": json.dumps({"verdicts": verdicts}, ensure_ascii=False)}
    zh = bool(re.search("[\u4e00-\u9fff]{8}", first))
    if role == "examiner":
        if '"result"' in first:
            return {"content": json.dumps({"result": "未见异常。" if zh else "Normal."}, ensure_ascii=False)}
        return {"content": json.dumps({"orders": []})}
    if role == "chief":
        said = "再想想还有什么没有问到。" if zh else "Think again about what you have not asked yet."
        return {"content": json.dumps({"say": said}, ensure_ascii=False)}
    turn = sum(m.get("role") == "assistant" for m in messages)
    if turn + 1 >= state.options["conclude_at"]:
        diagnosis, treatment = (
            ("上呼吸道感染", "休息，多饮水") if zh else ("upper respiratory infection", "rest; fluids")
        )
        if tools:
            return _call("conclude", {"diagnosis": diagnosis, "treatment": [treatment]}, state.sequence)
        if form:
            return _act({"action": "conclude", "diagnosis": diagnosis, "treatment": [treatment]}, form)
        heads = ("结论：\n诊断：", "\n治疗：") if zh else ("CONCLUDE:\nDiagnosis: ", "\nTreatment: ")
        return {"content": f"{heads[0]}{diagnosis}{heads[1]}{treatment}"}
    asked = _QUESTIONS["zh" if zh else "en"][turn % 8]
    unique = f"（第{state.sequence}次问）" if zh else f" (That is question {state.sequence} of today.)"
    if tools:
        return _call("ask", {"text": asked + unique}, state.sequence)
    if form:
        return _act({"action": "ask", "text": asked + unique}, form)
    return {"content": ("问诊：" if zh else "ASK: ") + asked + unique}


def _act(values: dict[str, Any], form: dict[str, Any]) -> dict[str, Any]:
    """A JSON action with every field of the schema that was asked for."""
    empty = {"array": [], "object": {}, "boolean": False, "number": 0, "integer": 0}
    full = {name: values.get(name, empty.get(part.get("type"), "")) for name, part in form["properties"].items()}
    return {"content": json.dumps(full, ensure_ascii=False)}


def _call(name: str, arguments: dict[str, Any], n: int) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
    return {"content": None, "tool_calls": [{"id": f"call_{n}", "type": "function", "function": function}]}


def tokens(text: str) -> int:
    """About how many tokens: four characters each, a Chinese character one."""
    if text.isascii():
        return len(text) // 4 + 1
    han = sum("\u3400" <= c <= "\u9fff" for c in text)
    return han + (len(text) - han) // 4 + 1


def role_of(messages: list[dict[str, Any]]) -> str:
    """The role by the first line of the first message; `doctor` where it says none."""
    found = _ROLE.match(text_of(messages[0].get("content"))) if messages else None
    return found[1].lower() if found else "doctor"


class Server(asyncio.Protocol):
    """One connection: HTTP/1.1 with keep-alive, bodies by Content-Length, no pipelining."""

    state: ClassVar[State]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, mark, rest = self.buffer.partition(b"\r\n\r\n")
            if not mark:
                return
            lowered = head.lower()
            at = lowered.find(b"content-length:")
            length = int(lowered[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            self.route(head.split(b"\r\n", 1)[0].split(b" ")[1].decode(), rest[:length])

    def route(self, path: str, body: bytes) -> None:
        state = self.state
        if path.endswith("/chat/completions"):
            request = _object(body)
            messages = request.get("messages")
            if messages and isinstance(messages, list) and all(isinstance(m, dict) for m in messages):
                self.chat(request)
            else:
                self.send(400, b'{"error":{"message":"no request of a chat completion"}}')
        elif path == "/stats":
            self.send(200, _dump(stats(state)))
        elif path == "/reset":
            state.reset()
            self.send(200, b"{}")
        elif path == "/config":
            options = _object(body)
            wrong = [k for k, v in options.items() if k not in OPTIONS or not isinstance(v, int | float)]
            if wrong:
                self.send(400, _dump({"error": {"message": f"no such option, or no number: {wrong}"}}))
            else:
                state.options |= options
                self.send(200, _dump(state.options))
        elif path.endswith("/models"):
            self.send(200, b'{"object":"list","data":[{"id":"mock","object":"model"}]}')
        else:
            self.send(404, b'{"error":{"message":"no such path"}}')

    def chat(self, request: dict[str, Any]) -> None:
        state, options = self.state, self.state.options
        messages = request["messages"]
        role = role_of(messages)
        state.requests.append((role, messages))
        state.inflight += 1
        state.peak = max(state.peak, state.inflight)
        draw = state.random.random()
        status, extra = 200, b""
        if options["down"] or draw < options["p500"]:
            state.faults["http500"] += 1
            status, body = 500, b'{"error":{"message":"injected failure"}}'
        elif draw < options["p500"] + options["p429"]:
            state.faults["http429"] += 1
            status, body = 429, b'{"error":{"message":"injected rate limit"}}'
            extra = b"retry-after: %s\r\n" % f"{options['retry_after_s']:g}".encode()
        else:
            body = _dump(self.completion(request, role, messages))
            rest = draw - options["p500"] - options["p429"]
            if rest < options["pmal"]:
                state.faults["malformed"] += 1
                body = body[: len(body) // 2]
            elif rest < options["pmal"] + options["phang"]:
                state.faults["hang"] += 1
                asyncio.get_running_loop().call_later(options["hang_s"], self.drop)
                return
        delay = options["latency_ms"]
        if options["jitter_ms"]:
            delay += state.random.uniform(-1, 1) * options["jitter_ms"]
        if delay > 0:
            asyncio.get_running_loop().call_later(delay / 1000, self.done, status, body, extra)
        else:
            self.done(status, body, extra)

    def completion(self, request: dict[str, Any], role: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
        message = answer(role, request, self.state)
        used = sum(tokens(text_of(m.get("content"))) for m in messages)
        written = tokens(text_of(message["content"]) or "call")
        return {
            "id": f"chatcmpl-{self.state.sequence}",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": request.get("model", "mock"),
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "tool_calls" if "tool_calls" in message else "stop",
                    "message": {"role": "assistant", **message},
                }
            ],
            "usage": {"prompt_tokens": used, "completion_tokens": written, "total_tokens": used + written},
        }

    def done(self, status: int, body: bytes, extra: bytes) -> None:
        self.state.inflight -= 1
        self.send(status, body, extra)

    def send(self, status: int, body: bytes, extra: bytes = b"") -> None:
        if not self.transport.is_closing():
            head = b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%s\r\n"
            self.transport.write(head % (status, len(body), extra) + body)

    def drop(self) -> None:
        self.state.inflight -= 1
        self.transport.abort()


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; empty where it is none."""
    try:
        data = _load(body or b"{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def stats(state: State) -> dict[str, Any]:
    """Counts, and how much of the prompts a server with an unbounded prefix cache would have seen before."""
    root: dict[str, Any] = {"kids": {}, "keys": []}
    total: dict[str, list[int]] = {}
    for role, messages in state.requests:
        size, shared = _walk(root, messages)
        turn = sum(m.get("role") == "assistant" for m in messages) + 1
        groups = ["all", role] + (["from_3", f"{role}_from_3"] if turn >= 3 else [])
        for group in groups:
            counts = total.setdefault(group, [0, 0, 0])
            counts[0] += 1
            counts[1] += size
            counts[2] += shared
    share = {group: round(counts[2] / counts[1], 4) for group, counts in total.items() if counts[1]}
    return {
        "requests": len(state.requests),
        "by_role": {role: counts[0] for role, counts in total.items() if "_3" not in role and role != "all"},
        "faults": state.faults,
        "peak": state.peak,
        "prompt_tokens": total.get("all", [0, 0, 0])[1],
        "prefix_share": share.get("all"),
        "prefix_share_from_3": share.get("from_3"),
        "prefix_by_role": share,
    }


def _walk(root: dict[str, Any], messages: list[dict[str, Any]]) -> tuple[int, int]:
    """Tokens of a prompt, and how many of them begin an earlier one; the prompt is remembered."""
    node, size, shared, along = root, 0, 0, True
    for message in messages:
        text = f"{message.get('role')}\0{text_of(message.get('content'))}{json.dumps(message.get('tool_calls', ''))}"
        weight = tokens(text)
        size += weight
        child = node["kids"].get(text)
        if child is None:
            if along:
                at = bisect.bisect_left(node["keys"], text)
                near = node["keys"][max(0, at - 1) : at + 1]
                shared += max((tokens(text[: _common(text, k)]) for k in near), default=0)
                along = False
            bisect.insort(node["keys"], text)
            child = node["kids"][text] = {"kids": {}, "keys": []}
        elif along:
            shared += weight
        node = child
    return size, min(shared, size)


def _common(one: str, two: str) -> int:
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == two[:middle] else (low, middle - 1)
    return low


class MockServer:
    """The mock in a process of its own: `with MockServer(latency_ms=0, p500=0.05) as server: server.url`."""

    def __init__(self, **options: Any) -> None:
        unknown = set(options) - set(OPTIONS)
        if unknown:
            raise ValueError(f"no options {sorted(unknown)}; there are {sorted(OPTIONS)}")
        self._options = options
        self.url = ""

    def __enter__(self) -> MockServer:
        args = [f"--{name.replace('_', '-')}={value}" for name, value in self._options.items()]
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--port", "0", *args], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        if not port.isdigit():
            raise RuntimeError("the mock server did not start")
        self.url = f"http://127.0.0.1:{port}/v1"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def stats(self) -> dict[str, Any]:
        """GET /stats."""
        return self._get("stats")

    def reset(self) -> None:
        """POST /reset."""
        self._get("reset", b"")

    def configure(self, **options: Any) -> None:
        """POST /config."""
        self._get("config", json.dumps(options).encode())

    def _get(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        url = self.url.removesuffix("/v1") + "/" + path
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=60) as got:  # noqa: S310
            found: dict[str, Any] = json.load(got)
            return found


async def serve(port: int, options: dict[str, Any], max_seconds: float) -> None:
    """Listen until killed, or for `max_seconds`."""
    state = Server.state = State()
    state.options |= options
    state.reset()
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(max_seconds)


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8100, help="0 takes a free one; the port is printed")
    parser.add_argument("--max-seconds", type=float, default=7200.0)
    for name, value in OPTIONS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    args = parser.parse_args()
    try:
        import uvloop

        run: Any = uvloop.run
    except ImportError:
        run = asyncio.run
    run(serve(args.port, {name: getattr(args, name) for name in OPTIONS}, args.max_seconds))


if __name__ == "__main__":
    main()
