// Fedify doing what the letter's inbox and worker do: verify and queue, or sign and send.
//
//   node server.mjs inbox PORT SOCKET DATABASE        answers POST /inbox
//   node server.mjs fanout PORT SOCKET DATABASE FILE  sends one Create to the inboxes in FILE
//
// The queue is PostgreSQL, as Fedify recommends for
// production. The inbox only queues (as `fedi-letter web` does), so nothing is taken from its core.
import { readFileSync } from "node:fs";
import { createFederation, generateCryptoKeyPair, MemoryKvStore, ParallelMessageQueue } from "@fedify/fedify";
import { PostgresMessageQueue } from "@fedify/postgres";
import { Create, Endpoints, Note, Person, PUBLIC_COLLECTION } from "@fedify/vocab";
import { serve } from "@hono/node-server";
import postgres from "postgres";

const [role, port, socket, database, file] = process.argv.slice(2);
const AT_ONCE = 20; // deliveries at once; Fedify's default would be one after the other
const sql = postgres({ host: socket, database, username: "postgres", max: 30 });
const queue = new PostgresMessageQueue(sql);
await queue.initialize();

const federation = createFederation({
  kv: new MemoryKvStore(),
  queue: role === "inbox" ? queue : new ParallelMessageQueue(queue, AT_ONCE),
  allowPrivateAddress: true,
  manuallyStartQueue: role === "inbox",
  origin: `http://127.0.0.1:${port}`,
});
const pair = await generateCryptoKeyPair("RSASSA-PKCS1-v1_5");
federation
  .setActorDispatcher("/users/{identifier}", async (context, identifier) =>
    new Person({
      id: context.getActorUri(identifier),
      preferredUsername: identifier,
      inbox: context.getInboxUri(identifier),
      endpoints: new Endpoints({ sharedInbox: context.getInboxUri() }),
      publicKey: (await context.getActorKeyPairs(identifier))[0].cryptographicKey,
    }))
  .setKeyPairsDispatcher(() => [pair]);
federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .on(Create, () => {});

if (role === "inbox") {
  const listening = { port: Number(port), hostname: "127.0.0.1" };
  serve({ ...listening, fetch: (request) => federation.fetch(request, { contextData: undefined }) });
  console.log("ready");
} else {
  const context = federation.createContext(new URL(`http://127.0.0.1:${port}`), undefined);
  const recipients = readFileSync(file, "utf8").trim().split("\n").map((inbox) => ({
    id: new URL(`${inbox}/owner`),
    inboxId: new URL(inbox),
  }));
  const actor = context.getActorUri("letter");
  const note = new Note({
    id: new URL(`http://127.0.0.1:${port}/updates/1`),
    attribution: actor,
    content: "<p>The hearing is on Thursday. Come if you can, and bring the letter.</p>",
    to: PUBLIC_COLLECTION,
  });
  const create = new Create({ id: new URL("#create", note.id), actor, object: note, to: PUBLIC_COLLECTION });
  await context.sendActivity({ identifier: "letter" }, recipients, create);
  console.log("queued");
}
