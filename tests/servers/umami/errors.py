"""The error answers: their bodies are what the recordings show, with stacks and directories blanked as there."""

from __future__ import annotations

from typing import Any, Final

STACK: Final = "<stack>"
FORBIDDEN: Final = {"error": {"message": "Forbidden", "code": "forbidden", "status": 403}}
UNAUTHORIZED: Final = {"error": {"message": "Unauthorized", "code": "unauthorized", "status": 401}}
NOT_FOUND: Final = {"error": {"message": "Not found", "code": "not-found", "status": 404}}


class ServerFault(Exception):  # noqa: N818 - it is what the real server threw, not an error of ours
    """Something thrown while an item was handled: the answer is a 500 with this object in it."""

    def __init__(self, error_object: dict[str, Any]) -> None:
        super().__init__(error_object.get("message"))
        self.error_object = error_object


def bad_request(message: str = "Bad request", **more: object) -> dict[str, Any]:
    """The body of a 400."""
    return {"error": {"message": message, "code": "bad-request", "status": 400, **more}}


def server_error(fault: ServerFault) -> dict[str, Any]:
    """The body of a 500."""
    error = {"message": "Server error", "code": "server-error", "status": 500, "errorObject": fault.error_object}
    return {"error": error}


def plain(name: str, message: str, **more: object) -> ServerFault:
    """An error of the language's own, as ``RangeError: Invalid time value``."""
    return ServerFault({**more, "name": name, "message": message, "stack": STACK})


def missing_geo_database() -> ServerFault:
    """The geo database is looked for and not there."""
    path = "<dir>/nope.mmdb"
    message = f"ENOENT: no such file or directory, stat '{path}'"
    return plain("Error", message, errno=-2, code="ENOENT", syscall="stat", path=path)


def invalid_url(url: str, base: str) -> ServerFault:
    """A url that does not parse against its base."""
    return plain("TypeError", "Invalid URL", code="ERR_INVALID_URL", input=url, base=base)


class ColumnError(Exception):
    """The database refuses a value."""

    def __init__(self, code: str, kind: str, message: str) -> None:
        super().__init__(message)
        self.code, self.kind, self.message = code, kind, message

    @classmethod
    def too_long(cls, limit: int) -> ColumnError:
        """A text is longer than its column."""
        return cls("22001", "LengthMismatch", f"value too long for type character varying({limit})")

    @classmethod
    def out_of_range(cls) -> ColumnError:
        """A number does not fit numeric(19,4)."""
        return cls("22003", "ValueOutOfRange", "numeric field overflow")

    @classmethod
    def nul(cls) -> ColumnError:
        """A text holds the character U+0000."""
        return cls("22021", "postgres", 'invalid byte sequence for encoding "UTF8": 0x00')

    @classmethod
    def bad_time(cls, text: str) -> ColumnError:
        """A text is no moment."""
        return cls("22007", "postgres", f'invalid input syntax for type timestamp with time zone: "{text}"')

    def _driver_error(self) -> dict[str, Any]:
        cause: dict[str, Any] = {"originalCode": self.code, "originalMessage": self.message, "kind": self.kind}
        message = self.kind
        if self.kind == "postgres":
            cause |= {"code": self.code, "severity": "ERROR", "message": self.message}
            message = self.message
        elif self.kind == "ValueOutOfRange":
            cause["cause"] = self.message
        return {"name": "DriverAdapterError", "cause": cause, "message": message, "stack": STACK}

    def in_raw_query(self) -> ServerFault:
        """The fault when a hand-written statement met it (the session insert)."""
        text = f"Raw query failed. Code: `{self.code}`. Message: `{self.message}`"
        return _known("P2010", "$queryRawUnsafe", text, {"driverAdapterError": self._driver_error()})

    def in_call(self, model: str, call: str) -> ServerFault:
        """The fault when a model's call met it, as ``eventData.createMany`` of ``EventData``."""
        if self.kind == "postgres":
            return ServerFault(self._driver_error())
        meta = {"modelName": model, "driverAdapterError": self._driver_error()}
        if self.kind == "ValueOutOfRange":
            return _known("P2020", call, f"Value out of range for the type: {self.message}", meta)
        text = "The provided value for the column is too long for the column's type. Column: (not available)"
        return _known("P2000", call, text, meta)


def _known(code: str, call: str, text: str, meta: dict[str, Any]) -> ServerFault:
    message = f"\nInvalid `prisma.{call}()` invocation:\n\n\n{text}"
    name = "PrismaClientKnownRequestError"
    return ServerFault({"code": code, "meta": meta, "name": name, "message": message, "stack": STACK})


def invalid_argument(call: str, text: str) -> ServerFault:
    """A model's call was given a value of the wrong kind, or none."""
    message = f"\nInvalid `prisma.{call}()` invocation:\n\n\n{text}"
    return ServerFault({"name": "PrismaClientValidationError", "message": message, "stack": STACK})
