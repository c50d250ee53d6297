import { randomUUID } from "node:crypto";
import process from "node:process";
import express from "express";
import Joi from "joi";
import { Kafka, Partitioners } from "kafkajs";

/** The plain way to do what the gateway does: Express 5, `express.json()`, Joi, one awaited `producer.send` a request. */
const schema = Joi.object({
  event: Joi.string().lowercase().valid("delivery", "open").required(),
  publishId: Joi.string().max(256).required(),
  deviceId: Joi.string().max(256).required(),
  timestampSecs: Joi.number().min(0).max(4_294_967_295).required(),
  userId: Joi.string().max(512).allow(null),
  appInBackground: Joi.boolean().allow(null),
  hasDisplayableContent: Joi.boolean().allow(null),
  hasData: Joi.boolean().allow(null),
}).unknown();

const topic = process.env["KAFKA_TOPIC"] ?? "";
const kafka = new Kafka({ brokers: (process.env["KAFKA_BROKERS"] ?? "").split(",") });
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
await producer.connect();

const app = express();
app.use(express.json());
app.post("/reporting_api/v2/instances/:instanceId/events", async (req, res) => {
  const { error, value } = schema.validate(req.body);
  if (error) {
    res.status(400).json({ error: "Bad request", description: error.message });
    return;
  }
  const row = {
    report_id: randomUUID(),
    received_at: new Date().toISOString(),
    instance_id: req.params.instanceId,
    ...value,
  };
  await producer.send({
    topic,
    acks: -1,
    messages: [{ key: value.deviceId, value: JSON.stringify(row) }],
  });
  res.status(200).end();
});
app.listen(Number(process.env["HTTP_PORT"]), "127.0.0.1", () => process.stdout.write("ready\n"));
