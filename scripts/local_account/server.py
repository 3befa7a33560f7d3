"""The wire: Snowflake's HTTP protocol on loopback.

Every failure is an answer with ``success: false`` and a number. Never an HTTP 500: clients repeat those for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import secrets
import traceback
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import duckdb
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from local_account import access, queries, rest, results, scripting, statements, streamlits, system
from local_account.access import APPLICATION
from local_account.catalogue import HOME
from local_account.clock import parse_duration, parse_moment
from local_account.errors import SqlError, from_duckdb, unsupported
from local_account.stages import Transfer
from local_account.syntax import strip_comments
from local_account.watch import ConnectionLost, Watch

if TYPE_CHECKING:
    from local_account.account import Account
    from local_account.engine import Result
    from local_account.session import Session

THREADS = 200  # a procedure's worker asks the account while its caller's request still waits
PATIENCE_SECONDS = 5  # Snowflake's is 45; the connector reads for 60, then sends the request again
KEPT_ANSWERS, KEPT_BYTES = 100, 1_000_000  # of answers that were given, in case that the client asks again
CHUNK_ROWS, KEPT_LARGE = 100_000, 5
LOGIN_AGAIN = {
    "data": None,
    "code": "390104",
    "message": "User must login again to access the service.",
    "success": False,
}
WRONG_SECRET = SqlError(390_100, "Wrong secret: only scripts/account may ask for that.")
CONNECTOR_MAJOR = "4"
# The connector's statementTypeId by kind of statement: it tells it whether rows or counts are coming.
TYPE_IDS = {
    "select": 0x1000,
    "insert": 0x3100,
    "update": 0x3200,
    "delete": 0x3300,
    "merge": 0x3400,
    "truncate": 0x6000,
    "ddl": 0x6000,
    "transfer": 0x7000,
}
DML = {"insert", "update", "delete", "merge"}


class Server:
    """Sessions by token, and what each request does."""

    def __init__(self, account: Account, secret: str) -> None:
        self.account = account
        self.secret = secret  # for the requests of scripts/account
        self.sessions: dict[str, Session] = {}
        self.threads = ThreadPoolExecutor(THREADS, "query")
        self.running: dict[str, Future[dict[str, Any]]] = {}  # answers, there or to come, by query id
        self.large: dict[str, Result] = {}  # results of which the client fetches chunks
        self.requests: dict[str, str] = {}  # the query of a request

    # sessions -----------------------------------------------------------------------------------------------------

    async def login(self, request: Request) -> Response:
        data = (await _body(request)).get("data", {})
        version = str(data.get("CLIENT_APP_VERSION", ""))
        if data.get("CLIENT_APP_ID") == "PythonConnector" and version.split(".")[0] != CONNECTOR_MAJOR:
            return _failure(
                SqlError(
                    390_095,
                    f"This account speaks with version {CONNECTOR_MAJOR} of the Python connector, not {version}: install the version that requirements.txt pins.",
                )
            )
        query = request.query_params
        try:
            session = await run_in_threadpool(
                self.account.login,
                data.get("LOGIN_NAME", ""),
                data.get("PASSWORD", ""),
                query.get("roleName"),
                query.get("warehouse"),
            )
            for keyword, name in (("database", query.get("databaseName")), ("schema", query.get("schemaName"))):
                if name and not session.is_nested:
                    with contextlib.suppress(SqlError):  # as Snowflake: an unknown database leaves none current
                        await run_in_threadpool(statements.execute, session, f"use {keyword} {name}")
            if (data.get("SESSION_PARAMETERS") or {}).get("AUTOCOMMIT") is False and not session.is_nested:
                session.parameters["AUTOCOMMIT"] = False
        except SqlError as error:
            return _failure(error)
        for ended in [token for token, other in self.sessions.items() if other.has_ended]:
            self.sessions.pop(ended, None)
        token = secrets.token_urlsafe(32)
        self.sessions[token] = session
        names = {
            "databaseName": session.database,
            "schemaName": session.schema,
            "roleName": session.role,
            "warehouseName": session.warehouse,
        }
        return _success(
            {
                "token": token,
                "masterToken": token,
                "sessionId": session.number,
                "serverVersion": system.VERSION,
                "parameters": _parameters(session),
                "sessionInfo": names,
                "validityInSeconds": 3600,
                "masterValidityInSeconds": 14400,
            }
        )

    async def session(self, request: Request) -> Response:
        token = _token(request)
        if request.query_params.get("delete") and (session := self.sessions.pop(token, None)):
            await run_in_threadpool(session.close)
        return _success(None)

    async def renew(self, request: Request) -> Response:
        token = _token(request)
        return _success(
            {
                "sessionToken": token,
                "masterToken": token,
                "validityInSecondsST": 3600,
                "validityInSecondsMT": 14400,
                "sessionId": 0,
            }
        )

    # queries ------------------------------------------------------------------------------------------------------

    async def query(self, request: Request) -> Response:
        session = self.sessions.get(_token(request))
        if not session or session.has_ended:
            return JSONResponse(LOGIN_AGAIN)
        # The connector repeats a request whose answer it has not read within a minute; the statement runs once.
        request_id = request.query_params.get("requestId") or str(uuid.uuid4())
        if request_id not in self.requests:
            body = await _body(request)
            query_id = self.requests[request_id] = str(uuid.uuid4())
            self.running[query_id] = self.threads.submit(self._answer, session, query_id, body)
            if body.get("asyncExec"):
                return _in_progress(query_id, "333334")
        return await self._outcome(self.requests[request_id])

    async def _outcome(self, query_id: str) -> Response:
        """The answer when it is there within the time that a client waits for a request, or where to ask for it."""
        running = self.running[query_id]
        try:
            answer = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(running)), PATIENCE_SECONDS)
        except TimeoutError:
            return _in_progress(query_id, "333333")
        done = [other for other, future in self.running.items() if future.done()]
        large = len(answer["data"].get("rowsetBase64") or "") > KEPT_BYTES if answer["data"] else False
        for other in done[:-KEPT_ANSWERS] + ([query_id] if large else []):
            self.running.pop(other, None)
        self.requests = {request: number for request, number in self.requests.items() if number in self.running}
        return JSONResponse(answer)

    def _answer(self, session: Session, query_id: str, body: dict[str, Any]) -> dict[str, Any]:
        text = body.get("sqlText", "")
        try:
            with session.lock:
                binds = _binds(body.get("bindings"))
                if body.get("describeOnly"):
                    return _described(session, text)
                if (several := _several(session, body)) and len(several) > 1:
                    return self._one_by_one(session, query_id, several, binds)
                if binds and isinstance(binds[0], list):
                    result = self._many(session, text, binds)
                else:
                    result = statements.execute(session, text, binds)
                if session.watch and not session.is_nested:
                    session.watch.pass_boundary()
                if body.get("asyncExec"):
                    session.results[query_id] = result
                return self._in_chunks(result, _answer(session, result, query_id if body.get("asyncExec") else None))
        except SqlError as error:
            return _failed(error)
        except ConnectionLost:
            session.close()
            return LOGIN_AGAIN
        except duckdb.Error as error:
            return _failed(from_duckdb(error))
        except Exception as error:
            traceback.print_exc()
            return _failed(
                SqlError(
                    603,
                    f"SQL execution internal error: {type(error).__name__}: {error}. This is a defect of the local account.",
                    "XX000",
                )
            )

    def _one_by_one(self, session: Session, query_id: str, texts: list[str], binds: list[Any]) -> dict[str, Any]:
        """The answer to several statements: a client asks for theirs by the ids that it names. They stop where one fails."""
        if len(texts) > KEPT_ANSWERS or (binds and isinstance(binds[0], list)):
            raise unsupported("several statements with array binds", f"or more than {KEPT_ANSWERS}")
        ids, types = [], []
        for text in texts:
            own = sum(token.key == "?" for token in scripting.tokenize(text))
            result = statements.execute(session, text, binds[:own])
            if isinstance(result, Transfer):
                raise unsupported("PUT and GET among several statements")
            binds = binds[own:]
            ids.append(str(uuid.uuid4()))
            types.append(str(TYPE_IDS[result.kind]))
            self.running[ids[-1]] = Future()
            self.running[ids[-1]].set_result(self._in_chunks(result, _answer(session, result, ids[-1])))
        data = {
            "resultIds": ",".join(ids),
            "resultTypes": ",".join(types),
            "queryId": query_id,
            "rowtype": [],
            "rowset": [],
        }
        return {"data": data | _names(session), "code": None, "message": None, "success": True}

    def _in_chunks(self, result: Result, answer: dict[str, Any]) -> dict[str, Any]:
        """The answer, told where the rows are to be fetched that it does not hold itself."""
        rows = result.table.num_rows
        if "rowsetBase64" in answer["data"] and rows > CHUNK_ROWS:
            key = secrets.token_urlsafe(16)  # whoever knows the address may read, as with Snowflake's signed ones
            self.large[key] = result
            while len(self.large) > KEPT_LARGE:
                self.large.pop(next(iter(self.large)))
            host, port = self.account.address
            answer["data"] |= {
                "chunkHeaders": {},
                "chunks": [
                    {
                        "url": f"http://{host}:{port}/chunks/{key}/{start}",
                        "rowCount": min(CHUNK_ROWS, rows - start),
                        "uncompressedSize": 0,
                        "compressedSize": 0,
                    }
                    for start in range(CHUNK_ROWS, rows, CHUNK_ROWS)
                ],
            }
        return answer

    async def chunk(self, request: Request) -> Response:
        result = self.large.get(request.path_params["key"])
        if not result:
            return PlainTextResponse("Gone: ask again.", status_code=501)
        start = int(request.path_params["start"])
        stream = await run_in_threadpool(results.arrow_stream, result, start, CHUNK_ROWS)
        return Response(bytes(stream), media_type="application/octet-stream")

    @staticmethod
    def _many(session: Session, text: str, binds: list[list[Any]]) -> Result:
        """An array bind is one statement on Snowflake: all its rows or none."""
        own = not session.transaction.open
        if own:
            session.begin()
        try:
            total = 0
            for row in zip(*binds, strict=True):
                result = statements.execute(session, text, list(row))
                total += result.rowcount
            if own:
                session.commit()
        except BaseException:
            if own:
                session.rollback()
            raise
        from local_account import reply

        counted = reply.rows_of(["number of rows inserted"], [{"number of rows inserted": total}], kind="insert")
        counted.rowcount = total
        return session.remember(counted)

    async def result(self, request: Request) -> Response:
        """The answer of an asynchronous query, or of one that the session remembers."""
        query_id = request.path_params["query_id"]
        if query_id in self.running:
            return await self._outcome(query_id)
        session = self.sessions.get(_token(request))
        if session and query_id in session.results:
            result = session.results[query_id]
            return JSONResponse(self._in_chunks(result, _answer(session, result, query_id)))
        return _failure(SqlError(709, f"Statement {query_id} not found", "02000"))

    async def monitor(self, request: Request) -> Response:
        query_id = request.path_params["query_id"]
        if query_id in self.running:
            answer = self.running[query_id].result() if self.running[query_id].done() else {}
            status = "RUNNING" if not answer else "SUCCESS" if answer["success"] else "FAILED_WITH_ERROR"
            return _success(
                {
                    "queries": [
                        {
                            "id": query_id,
                            "status": status,
                            "errorCode": answer.get("code"),
                            "errorMessage": answer.get("message"),
                        }
                    ]
                }
            )
        session = self.sessions.get(_token(request))
        return _success(
            {"queries": [{"id": query_id, "status": "SUCCESS"}] if session and query_id in session.results else []}
        )

    async def abort(self, request: Request) -> Response:
        """Ctrl-C in a client: the statement that runs now fails."""
        if session := self.sessions.get(_token(request)):
            for transaction in list(session.transactions):
                transaction.cursor.interrupt()
        return _success(None)

    async def rest(self, request: Request) -> Response:
        session = self.sessions.get(_token(request))
        if not session:
            return JSONResponse(LOGIN_AGAIN, status_code=401)
        mode = request.query_params.get("createMode", "errorIfExists")
        try:
            text = rest.statement(request.method, request.url.path.strip("/"), mode, await _body(request))
        except SqlError as error:
            return JSONResponse(_failed(error), status_code=400)
        if text is None:
            return JSONResponse(
                _failed(unsupported(f"REST API {request.url.path}", "CREATE it in SQL")), status_code=404
            )
        if not text:
            return JSONResponse([])
        answer = await run_in_threadpool(self._answer, session, str(uuid.uuid4()), {"sqlText": text})
        status, said = rest.reply(answer)
        return JSONResponse(said, status_code=status)

    # scripts/account ----------------------------------------------------------------------------------------------

    async def ping(self, request: Request) -> Response:
        return _success(
            {
                "account": system.ACCOUNT_NAME,
                "directory": str(self.account.directory),
                "now": self.account.clock.now().isoformat(),
                "sessions": len(self.sessions),
            }
        )

    async def clock(self, request: Request) -> Response:
        if not self._knows_secret(request):
            return _failure(WRONG_SECRET)
        body = await _body(request)
        runs = 0
        try:
            if duration := body.get("advance"):
                runs = await run_in_threadpool(
                    self.account.scheduler.advance, self.account.clock.now() + parse_duration(duration)
                )
            elif moment := body.get("set"):
                await run_in_threadpool(self.account.scheduler.set_clock, parse_moment(moment))
        except SqlError as error:
            return _failure(error)
        return _success({"now": self.account.clock.now().isoformat(), "runs": runs})

    async def withhold(self, request: Request) -> Response:
        """Sets which account privileges no application has; answers them."""
        if not self._knows_secret(request):
            return _failure(WRONG_SECRET)
        try:
            return _success(
                await run_in_threadpool(access.withhold, self.account, (await _body(request))["privileges"])
            )
        except SqlError as error:
            return _failure(error)

    async def watch(self, request: Request) -> Response:
        """Watches a session from now on, for a test; answers what the watch so far has seen. `look` leaves that one alone."""
        if not self._knows_secret(request):
            return _failure(WRONG_SECRET)
        body = await _body(request)
        number = body.pop("session")
        (session,) = (other for other in self.sessions.values() if other.number == number and not other.is_nested)
        before = session.watch
        if not body.pop("look", False):
            session.watch = Watch(**body)
            if before:
                before.go_on.set()
        if not before:
            return _success(None)
        return _success({"boundaries": before.boundaries, "seen": before.seen})

    def _knows_secret(self, request: Request) -> bool:
        return secrets.compare_digest(request.headers.get("X-Account-Secret", ""), self.secret)

    async def streamlit(self, request: Request) -> Response:
        """What the process needs that serves a Streamlit object to a role."""
        if not secrets.compare_digest(request.headers.get("X-Account-Secret", ""), self.secret):
            return _failure(SqlError(390_100, "Wrong secret: only scripts/account opens a Streamlit."))
        body = await _body(request)
        try:
            return _success(
                await run_in_threadpool(streamlits.open_for, self.account, body.get("name", ""), body.get("role"))
            )
        except SqlError as error:
            return _failure(error)

    async def page(self, request: Request) -> Response:
        """What stands here for Snowsight: `snow app open` and `snow app run` print its address."""
        applications = [
            f"  {key.name}: {document['upgrade_state']}, from package {document['package']}, version {document['version']}"
            for key, document in self.account.catalogue.find("database", HOME)
            if document["kind"] == APPLICATION
        ]
        lines = [
            "A local Snowflake account. It has no Snowsight; ask it in SQL:  snow sql -c local",
            "",
            "Applications:",
        ]
        return PlainTextResponse("\n".join([*lines, *(applications or ["  none"]), ""]))

    def application(self) -> Starlette:
        @contextlib.asynccontextmanager
        async def life(_: Starlette) -> AsyncIterator[None]:
            anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
            self.account.scheduler.start()
            yield
            self.threads.shutdown(wait=False, cancel_futures=True)
            await run_in_threadpool(self.account.close)

        return Starlette(
            lifespan=life,
            routes=[
                Route("/session/v1/login-request", self.login, methods=["POST"]),
                Route("/session/token-request", self.renew, methods=["POST"]),
                Route("/session/heartbeat", self.session, methods=["POST"]),
                Route("/session", self.session, methods=["POST"]),
                Route("/queries/v1/query-request", self.query, methods=["POST"]),
                Route("/queries/v1/abort-request", self.abort, methods=["POST"]),
                Route("/queries/{query_id}/result", self.result, methods=["GET"]),
                Route("/queries/{query_id}/abort-request", self.abort, methods=["POST"]),
                Route("/monitoring/queries/{query_id}", self.monitor, methods=["GET"]),
                Route("/chunks/{key}/{start}", self.chunk, methods=["GET"]),
                Route("/telemetry/send", _nothing, methods=["POST"]),
                Route("/account/ping", self.ping, methods=["GET"]),
                Route("/account/clock", self.clock, methods=["POST"]),
                Route("/account/withhold", self.withhold, methods=["POST"]),
                Route("/account/watch", self.watch, methods=["POST"]),
                Route("/account/streamlit", self.streamlit, methods=["POST"]),
                Route("/api/{path:path}", self.rest, methods=["GET", "POST", "PUT", "DELETE"]),
                Route("/{path:path}", self.page, methods=["GET"]),
            ],
        )


async def _nothing(request: Request) -> Response:
    return _success(None)


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        raw = gzip.decompress(raw)
    try:
        return json.loads(raw or b"{}")
    except ValueError:
        raise HTTPException(400, "The body of the request is no JSON.") from None


def _token(request: Request) -> str:
    return request.headers.get("Authorization", "")[len('Snowflake Token="') : -1]


def _binds(bindings: dict[str, Any] | None) -> list[Any]:
    if not bindings:
        return []
    if not all(key.isdigit() for key in bindings):
        raise unsupported("named binds", "use ? marks")
    return [results.from_binding(bindings[str(place)]) for place in range(1, len(bindings) + 1)]


def _parameters(session: Session) -> list[dict[str, Any]]:
    return [
        {"name": "AUTOCOMMIT", "value": session.parameters["AUTOCOMMIT"]},
        {"name": "TIMEZONE", "value": session.parameters["TIMEZONE"]},
        {"name": "CLIENT_TELEMETRY_ENABLED", "value": False},
        {"name": "CLIENT_SESSION_KEEP_ALIVE", "value": False},
        {"name": "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", "value": 3600},
        {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},  # array binds stay in the request
        {"name": "PYTHON_CONNECTOR_QUERY_RESULT_FORMAT", "value": "ARROW"},
        {"name": "PYTHON_SNOWPARK_USE_SCOPED_TEMP_OBJECTS", "value": True},
        {"name": "QUERY_CONTEXT_CACHE_SIZE", "value": 0},
    ]


def _names(session: Session) -> dict[str, Any]:
    return {
        "finalDatabaseName": session.database,
        "finalSchemaName": session.schema,
        "finalRoleName": session.role,
        "finalWarehouseName": session.warehouse,
        "parameters": _parameters(session),
    }


def _answer(session: Session, result: Result, query_id: str | None = None) -> dict[str, Any]:
    """A result as the connector reads it: counts as JSON, rows as Arrow."""
    query_id = query_id or session.query_id
    if isinstance(result, Transfer):
        return {
            "data": {**result.instructions, "queryId": query_id, **_names(session)},
            "code": None,
            "message": None,
            "success": True,
        }
    data: dict[str, Any] = {
        "rowtype": results.rowtype(result.columns),
        "total": result.table.num_rows,
        "returned": result.table.num_rows,
        "queryId": query_id,
        "statementTypeId": TYPE_IDS[result.kind],
        "numberOfBinds": 0,
        "arrayBindSupported": False,
        **_names(session),
    }
    if result.kind in DML or result.kind in ("ddl", "truncate"):
        data |= {"queryResultFormat": "json", "rowset": results.json_rowset(result)}
    else:
        data |= {"queryResultFormat": "arrow", "rowsetBase64": results.arrow_base64(result, CHUNK_ROWS)}
    return {"data": data, "code": None, "message": None, "success": True}


def _several(session: Session, body: dict[str, Any]) -> list[str]:
    """The statements of a request that may have more than one: its own MULTI_STATEMENT_COUNT or the session's; 0 is any number."""
    given = (body.get("parameters") or {}).get(
        "MULTI_STATEMENT_COUNT", session.parameters.get("MULTI_STATEMENT_COUNT", 1)
    )
    if (wanted := int(given)) == 1:
        return []
    texts = [statement.text for statement in scripting.split(body["sqlText"])]
    if wanted and len(texts) != wanted:
        raise SqlError(
            8, f"Actual statement count {len(texts)} did not match the desired statement count {wanted}.", "0A000"
        )
    return texts


def _described(session: Session, text: str) -> dict[str, Any]:
    statement = strip_comments(text)
    if not statement.upper().startswith(("SELECT", "WITH", "(", "VALUES")):
        result = (
            statements.execute(session, statement)
            if statement.upper().startswith(("SHOW", "DESC", "LIST", "LS"))
            else None
        )
        columns = result.columns if result else []
    else:
        columns = queries.describe(session, statement, [])
    data = {
        "rowtype": results.rowtype(columns),
        "total": 0,
        "returned": 0,
        "queryId": str(uuid.uuid4()),
        "statementTypeId": TYPE_IDS["select"],
        "queryResultFormat": "arrow",
        "rowsetBase64": "",
        "numberOfBinds": statement.count("?"),
        "arrayBindSupported": False,
        **_names(session),
    }
    return {"data": data, "code": None, "message": None, "success": True}


def _in_progress(query_id: str, code: str) -> Response:
    data = {"queryId": query_id, "getResultUrl": f"/queries/{query_id}/result", "queryAbortsAfterSecs": 300}
    return JSONResponse({"data": data, "code": code, "success": True, "message": None})


def _success(data: Any) -> Response:
    return JSONResponse({"data": data, "code": None, "message": None, "success": True})


def _failed(error: SqlError) -> dict[str, Any]:
    code = f"{error.errno:06d}"
    return {
        "data": {"errorCode": code, "sqlState": error.sqlstate, "queryId": str(uuid.uuid4())},
        "code": code,
        "message": error.message,
        "success": False,
    }


def _failure(error: SqlError) -> Response:
    return JSONResponse(_failed(error))
