// A tus server as its own documentation sets one up: node server.js PORT FOLDER
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const [port, directory] = process.argv.slice(2);
const server = new Server({ path: "/files", datastore: new FileStore({ directory }) });
server.listen({ host: "127.0.0.1", port: Number(port) });

// After an upload was downloaded this version closes its stream twice, which ends Node.js 20 unless it is passed over.
process.on("uncaughtException", (error) => {
  if (error.code !== "ERR_INVALID_STATE") throw error;
});
