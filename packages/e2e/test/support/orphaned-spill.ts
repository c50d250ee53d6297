import { waitFor } from "@push-reports/test-support";
import { kubectl, kubectlWith } from "./cluster.js";

/** Folder of a node's disk that serves as a volume. */
const FOLDER = "/var/tmp/push-reports-orphaned-spill";
const NAMESPACE = "push-reports";
const VOLUME = "push-reports-orphaned-spill";
const IMAGE = "push-reports:local";
const RESTRICTED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

/** The spill volume of a gateway's pod that is gone, with reports that it answered 200 on it. */
export class OrphanedSpill {
  readonly #claim: string;

  private constructor(claim: string) {
    this.#claim = claim;
  }

  /** Lets a gateway without Kafka take `count` reports of an instance, and removes its pod. @param pod as of the StatefulSet, e.g. `gateway-0` */
  static async leaveBehind(pod: string, instanceId: string, count: number): Promise<OrphanedSpill> {
    const spill = new OrphanedSpill(`spill-${pod}`);
    await onNode(
      `fs.mkdirSync(${FOLDER_TEXT}, { recursive: true }); fs.chownSync(${FOLDER_TEXT}, 1000, 1000)`,
    );
    await apply(volume(), spill.#volumeClaim(), spill.#gateway());
    await kubectl("-n", NAMESPACE, "wait", "--for=condition=Ready", "--timeout=120s", "pod/orphan");
    const answers = await kubectl(
      ...["-n", NAMESPACE, "exec", "orphan", "--", "node", "-e", reporting(instanceId, count)],
    );
    if (answers.trim() !== String(count))
      throw new Error(`Of ${count} reports ${answers} were taken`);
    await kubectl("-n", NAMESPACE, "delete", "pod", "orphan", "--grace-period=0", "--force");
    return spill;
  }

  async dispose(): Promise<void> {
    await kubectl(
      "-n",
      NAMESPACE,
      "delete",
      "pvc",
      this.#claim,
      "--ignore-not-found",
      "--wait=false",
    );
    await kubectl("delete", "pv", VOLUME, "--ignore-not-found", "--wait=false");
    await onNode(`fs.rmSync(${FOLDER_TEXT}, { recursive: true, force: true })`);
  }

  #volumeClaim(): unknown {
    return {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: this.#claim, namespace: NAMESPACE },
      spec: {
        storageClassName: "",
        volumeName: VOLUME,
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: "1Gi" } },
      },
    };
  }

  #gateway(): unknown {
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "orphan", namespace: NAMESPACE },
      spec: {
        automountServiceAccountToken: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 1000,
          seccompProfile: { type: "RuntimeDefault" },
        },
        containers: [
          {
            name: "gateway",
            image: IMAGE,
            imagePullPolicy: "IfNotPresent",
            args: ["gateway"],
            env: [
              { name: "KAFKA_BROKERS", value: "127.0.0.1:1" },
              { name: "SPILL_DIR", value: "/var/lib/push-reports/spill" },
            ],
            readinessProbe: { httpGet: { path: "/readyz", port: 8081 }, periodSeconds: 1 },
            securityContext: RESTRICTED,
            volumeMounts: [{ name: "spill", mountPath: "/var/lib/push-reports" }],
          },
        ],
        volumes: [{ name: "spill", persistentVolumeClaim: { claimName: this.#claim } }],
      },
    };
  }
}

const FOLDER_TEXT = JSON.stringify(FOLDER);

const volume = () => ({
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name: VOLUME },
  spec: {
    capacity: { storage: "1Gi" },
    accessModes: ["ReadWriteOnce"],
    persistentVolumeReclaimPolicy: "Retain",
    hostPath: { path: FOLDER },
  },
});

async function apply(...items: readonly unknown[]): Promise<void> {
  await kubectlWith(JSON.stringify({ apiVersion: "v1", kind: "List", items }), "apply", "-f", "-");
}

/** Runs a line of JavaScript as root on the node, whose /var/tmp it sees. */
async function onNode(program: string): Promise<void> {
  const name = `on-node-${Math.random().toString(36).slice(2, 8)}`;
  await apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default" },
    spec: {
      restartPolicy: "Never",
      containers: [
        {
          name: "main",
          image: IMAGE,
          imagePullPolicy: "IfNotPresent",
          command: ["node", "-e", program],
          securityContext: { runAsUser: 0 },
          volumeMounts: [{ name: "tmp", mountPath: "/var/tmp" }],
        },
      ],
      volumes: [{ name: "tmp", hostPath: { path: "/var/tmp" } }],
    },
  });
  const phase = () => kubectl("get", "pod", name, "-o", "jsonpath={.status.phase}");
  await waitFor(async () => (await phase()) === "Succeeded", {
    what: `${program} on the node`,
    timeoutMs: 60_000,
    intervalMs: 500,
  });
  await kubectl("delete", "pod", name, "--wait=false");
}

/** Prints how many of `count` reports were answered 200. */
const reporting = (instanceId: string, count: number) => `
(async () => {
  let taken = 0;
  for (let n = 0; n < ${count}; n += 1) {
    const body = JSON.stringify({ event: "delivery", publishId: "orphaned", deviceId: "web-" + n, timestampSecs: 1 });
    const headers = { "content-type": "application/json" };
    const url = "http://127.0.0.1:8080/reporting_api/v2/instances/${instanceId}/events";
    if ((await fetch(url, { method: "POST", headers, body })).status === 200) taken += 1;
  }
  console.log(taken);
})();`;
