import { createServer } from "node:http";
import process from "node:process";

/** The ceiling for a gateway on Node.js: reads the body, answers 200, does nothing else. */
createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  req.on("end", () => {
    Buffer.concat(chunks);
    res.writeHead(200, { "content-length": 0 }).end();
  });
})
  .listen(Number(process.env["HTTP_PORT"]), "127.0.0.1")
  .on("listening", () => process.stdout.write("ready\n"));
