"""The internals of uvicorn that the extended protocol class relies on.

Each has a test of its own, so that an upgrade of uvicorn that changes one fails by its name. Before the upper bound on
uvicorn in ``pyproject.toml`` is raised, every failure here has to be understood. The lists are complete: a test fails
if the code uses an attribute that is not in them.
"""

import ast
import asyncio
import inspect
from collections.abc import AsyncIterator
from types import ModuleType

import httptools
import pytest
import uvicorn
from uvicorn import Config, Server
from uvicorn import _types as uvicorn_types
from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from metastore.entrypoints.server import connection, request_cycle, server

# Methods that are overridden or called, with the names of their parameters.
_PROTOCOL_METHODS: dict[str, list[str]] = {
    "__init__": ["config", "server_state", "app_state", "_loop"],
    "connection_made": ["transport"],
    "connection_lost": ["exc"],
    "data_received": ["data"],
    "handle_websocket_upgrade": [],
    "pause_writing": [],
    "resume_writing": [],
    "timeout_keep_alive_handler": [],
    "send_400_response": ["msg"],
    "on_message_begin": [],
    "on_header": ["name", "value"],
    "on_headers_complete": [],
    "on_body": ["body"],
    "on_message_complete": [],
    "on_response_complete": [],
    "shutdown": [],
    "_should_upgrade": [],
    "_start_asgi_task": ["cycle", "app"],
    "_unset_keepalive_if_required": [],
}
_CYCLE_METHODS: dict[str, list[str]] = {"run_asgi": ["app"], "receive": [], "send": ["message"]}
_FLOW_METHODS: dict[str, list[str]] = {"pause_reading": [], "resume_reading": [], "drain": []}
_SERVER_METHODS: dict[str, list[str]] = {
    "__init__": ["config"],
    "serve": ["sockets"],
    "main_loop": [],
    "shutdown": ["sockets"],
    "capture_signals": [],
}
_METHODS = [
    pytest.param(owner, name, parameters, id=f"{owner.__name__}.{name}")
    for owner, methods in (
        (HttpToolsProtocol, _PROTOCOL_METHODS),
        (RequestResponseCycle, _CYCLE_METHODS),
        (FlowControl, _FLOW_METHODS),
        (Server, _SERVER_METHODS),
    )
    for name, parameters in methods.items()
]

# Attributes of a connection that has received the head of a request, with their types.
_PROTOCOL_ATTRIBUTES: dict[str, type] = {
    "cycle": RequestResponseCycle,
    "flow": FlowControl,
    "headers": list,
    "loop": asyncio.AbstractEventLoop,
    "parser": httptools.HttpRequestParser,
    "pipeline": object,
    "server_state": ServerState,
    "timeout_keep_alive": int,
    "timeout_keep_alive_task": object,
    "transport": asyncio.Transport,
    "url": bytes,
}
_CYCLE_ATTRIBUTES: dict[str, type] = {
    "body": bytearray,
    "disconnected": bool,
    "expected_content_length": int,
    "flow": FlowControl,
    "keep_alive": bool,
    "message_event": asyncio.Event,
    "more_body": bool,
    "response_complete": bool,
    "scope": dict,
    "transport": asyncio.Transport,
    "waiting_for_100_continue": bool,
}
_STATE_ATTRIBUTES: dict[str, type] = {
    "connections": set,
    "default_headers": list,
    "tasks": set,
    "total_requests": int,
}
_SERVER_ATTRIBUTES = {"config", "lifespan", "server_state", "servers", "should_exit", "started"}
_CALLED_BY_UVICORN = ("_start_asgi_task", "timeout_keep_alive_handler", "send_400_response", "handle_websocket_upgrade")
_CONFIG_OPTIONS = (
    "app",
    "host",
    "port",
    "interface",
    "http",
    "ws",
    "ws_max_size",
    "lifespan",
    "log_config",
    "log_level",
    "access_log",
    "proxy_headers",
    "server_header",
    "backlog",
    "timeout_keep_alive",
    "timeout_graceful_shutdown",
)
_TYPES = ("ASGIApplication", "ASGI3Application", "ASGIReceiveEvent", "ASGISendEvent")


class _Transport(asyncio.Transport):
    """A transport that accepts everything and sends nothing."""

    def get_extra_info(self, name: str, default: object = None) -> object:
        return default

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def write(self, data: object) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
async def protocol() -> AsyncIterator[HttpToolsProtocol]:
    """A connection that has received the head of a request, and whose application waits."""
    done = asyncio.Event()

    async def app(scope: object, receive: object, send: object) -> None:
        await done.wait()

    config = Config(app, interface="asgi3", lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    protocol = HttpToolsProtocol(config, state, {})
    protocol.connection_made(_Transport())
    protocol.data_received(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nbody")
    yield protocol
    protocol.connection_lost(None)
    for task in state.tasks:
        task.cancel()
    await asyncio.gather(*state.tasks, return_exceptions=True)


@pytest.mark.parametrize(("owner", "name", "parameters"), _METHODS)
def test_a_method_has_its_signature(owner: type, name: str, parameters: list[str]) -> None:
    method = getattr(owner, name, None)
    assert method is not None, f"uvicorn {uvicorn.__version__} has no {owner.__name__}.{name}"
    assert parameters == [each for each in inspect.signature(method).parameters if each != "self"]


@pytest.mark.parametrize("name", ["run_asgi", "receive", "send"])
def test_a_method_of_the_cycle_is_a_coroutine(name: str) -> None:
    assert inspect.iscoroutinefunction(getattr(RequestResponseCycle, name))


@pytest.mark.parametrize("name", _CALLED_BY_UVICORN)
def test_uvicorn_calls_a_method_that_is_overridden(name: str) -> None:
    assert f"self.{name}" in inspect.getsource(HttpToolsProtocol)


@pytest.mark.parametrize("name", _PROTOCOL_ATTRIBUTES)
async def test_a_connection_has_an_attribute(protocol: HttpToolsProtocol, name: str) -> None:
    assert isinstance(getattr(protocol, name), _PROTOCOL_ATTRIBUTES[name])


@pytest.mark.parametrize("name", _CYCLE_ATTRIBUTES)
async def test_a_cycle_has_an_attribute(protocol: HttpToolsProtocol, name: str) -> None:
    assert isinstance(getattr(protocol.cycle, name), _CYCLE_ATTRIBUTES[name])


@pytest.mark.parametrize("name", _STATE_ATTRIBUTES)
async def test_the_state_has_an_attribute(protocol: HttpToolsProtocol, name: str) -> None:
    assert isinstance(getattr(protocol.server_state, name), _STATE_ATTRIBUTES[name])


async def test_the_state_counts_tasks_and_connections(protocol: HttpToolsProtocol) -> None:
    assert protocol in protocol.server_state.connections
    assert len(protocol.server_state.tasks) == 1


async def test_the_flow_control_reports_whether_writing_is_paused(protocol: HttpToolsProtocol) -> None:
    protocol.pause_writing()
    assert protocol.flow.write_paused
    protocol.resume_writing()
    assert not protocol.flow.write_paused


async def test_the_pipeline_is_a_queue(protocol: HttpToolsProtocol) -> None:
    protocol.data_received(b"etext" + b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    assert len(protocol.pipeline) == 1
    protocol.pipeline.clear()


async def test_the_class_of_a_cycle_can_be_changed(protocol: HttpToolsProtocol) -> None:
    """Uvicorn offers no way to choose it."""
    protocol.cycle.__class__ = request_cycle.RequestCycle
    assert protocol.cycle.expected_content_length == 0


@pytest.mark.parametrize("name", sorted(_SERVER_ATTRIBUTES))
async def test_a_server_has_an_attribute(name: str) -> None:
    config = Config(lambda: None, log_config=None, lifespan="off")
    assert f"self.{name}" in inspect.getsource(Server)
    if name not in ("lifespan", "servers"):  # set when it starts
        assert hasattr(Server(config), name)


def test_only_the_main_loop_updates_the_headers_of_all_responses() -> None:
    """Our server has no such loop and makes them itself."""
    assert "await self.main_loop()" in inspect.getsource(Server)
    everywhere, on_tick = inspect.getsource(uvicorn.server), inspect.getsource(Server.on_tick)
    assert everywhere.count("default_headers = ") == on_tick.count("default_headers = ")
    assert "config.encoded_headers" in on_tick


@pytest.mark.parametrize("name", _CONFIG_OPTIONS)
def test_the_configuration_has_an_option(name: str) -> None:
    assert name in inspect.signature(Config).parameters


def test_the_configuration_takes_a_callable_as_protocol_class() -> None:
    def make(*_: object) -> None: ...

    config = Config(lambda: None, http=make, log_config=None)  # type: ignore[arg-type]  # as our server does
    config.load()
    assert config.http_protocol_class is make  # type: ignore[comparison-overlap]  # the same


def test_status_lines_are_bytes() -> None:
    assert httptools_impl.STATUS_LINE[206] == b"HTTP/1.1 206 Partial Content\r\n"


@pytest.mark.parametrize("name", _TYPES)
def test_a_type_for_annotations_exists(name: str) -> None:
    assert hasattr(uvicorn_types, name)


@pytest.mark.parametrize(
    ("module", "owner", "known"),
    [
        (connection, "Connection", {*_PROTOCOL_METHODS, *_PROTOCOL_ATTRIBUTES}),
        (request_cycle, "RequestCycle", {*_CYCLE_METHODS, *_CYCLE_ATTRIBUTES}),
        (server, "_Server", {*_SERVER_METHODS, *_SERVER_ATTRIBUTES}),
    ],
)
def test_the_lists_are_complete(module: ModuleType, owner: str, known: set[str]) -> None:
    """Every attribute that a class uses is its own or listed."""
    tree = ast.parse(inspect.getsource(module))
    (definition,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == owner)
    used = {node.attr for node in _attributes_of_self(definition)}
    assert sorted(used - _own_names(definition) - known) == []


def _own_names(definition: ast.ClassDef) -> set[str]:
    functions = {node.name for node in definition.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    annotated = {
        node.target.id
        for node in definition.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    assigned = {
        target.id
        for node in definition.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    private = {
        node.attr
        for node in _attributes_of_self(definition)
        if isinstance(node.ctx, ast.Store) and node.attr.startswith("_")
    }
    overridden = {*_PROTOCOL_METHODS, *_CYCLE_METHODS, *_SERVER_METHODS}
    return (functions - overridden) | annotated | assigned | private


def _attributes_of_self(definition: ast.ClassDef) -> list[ast.Attribute]:
    attributes = [node for node in ast.walk(definition) if isinstance(node, ast.Attribute)]
    return [node for node in attributes if isinstance(node.value, ast.Name) and node.value.id == "self"]
