"""The embedded object store's data plane in a process of its own, on the same port.

So large transfers and the API do not wait for each other's event loop. Two processes serve the port:

* The *API process* (``metastore serve``) accepts all connections. It passes each one whose next request is for
  ``/objects/…`` to the data plane process, which passes it back when another request follows (``server.passing``).
* The *data plane process* serves ``/objects/…``. It has the state of open uploads, for which the API process calls it
  (``adapters.object_store.local.remote_uploads``). Everything else about objects, each of the two does by itself.

**Ends.** The data plane process drains when the API process says so, and ends when its sockets to it do; if the API
process dies, the kernel kills it. When the data plane process dies, the API process responds to ``/objects/…`` with 503
until it has started the next one, in a moment. That one reads open uploads from the disk.

**The lock** on the store's folder is taken by the API process and inherited: it is free when both have ended.

* ``link``: the API process's end: start, connect, start again.
* ``object_process``: what the data plane process runs. It imports little, to be small and quick to start.
* ``start``: how it is started.
* ``unavailable_store``: what responds while there is no data plane process.
"""
