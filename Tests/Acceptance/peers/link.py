"""A network between two programs that can be cut: connections through it end, and new ones are refused."""
import asyncio
import contextlib
import threading


class Link:
    """Passes on what comes to `port` to another port of this machine, until it is `cut`.

    With `hangs_up_on` a version of MQTT, it ends connections whose CONNECT has that, as a server does that is older.
    `watch`, called for each connection, returns what is to see all that the client sends.
    """

    def __init__(self, target, hangs_up_on=None, watch=None):
        self.target, self.hangs_up_on = target, hangs_up_on
        self.watch = watch or (lambda: lambda data: None)
        self.port = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="link")
        self._server = None
        self._open = set()

    def start(self):
        self._thread.start()
        self._call(self._listen(0))
        return self

    def cut(self):
        self._call(self._stop())

    def mend(self):
        self._call(self._listen(self.port))

    def end(self):
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self, port):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self):
        if self._server:
            self._server.close()
            self._server = None
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader, writer):
        other = None
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            other_reader, other = await asyncio.open_connection("127.0.0.1", self.target)
            self._open |= {writer, other}
            see = self.watch()
            if self.hangs_up_on:
                # The version follows type, length and the protocol's name.
                beginning = await reader.readexactly(9)
                if beginning[8] == self.hangs_up_on:
                    raise ConnectionError("not in this version")
                see(beginning)
                other.write(beginning)
            await asyncio.wait([asyncio.create_task(self._pass_on(reader, other, see)),
                                asyncio.create_task(self._pass_on(other_reader, writer))],
                               return_when=asyncio.FIRST_COMPLETED)
        self._open -= {writer, other}
        for end in filter(None, (writer, other)):
            end.transport.abort()

    async def _pass_on(self, reader, writer, see=lambda data: None):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                see(data)
                writer.write(data)
                await writer.drain()
