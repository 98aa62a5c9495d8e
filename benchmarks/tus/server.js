// A tus server, set up as in its documentation: node server.js PORT FOLDER
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const [port, directory] = process.argv.slice(2);
const server = new Server({ path: "/files", datastore: new FileStore({ directory }) });
server.listen({ host: "127.0.0.1", port: Number(port) });

// This version closes the stream of a download twice, which ends Node.js 20 unless the error is ignored.
process.on("uncaughtException", (error) => {
  if (error.code !== "ERR_INVALID_STATE") throw error;
});
