import { INTERNAL_PORT, type KafkaCluster, startKafka } from "@push-reports/test-support";
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  ResourcePatternTypes,
} from "kafkajs";
import type { Certificates } from "./certificates.js";

/** One who may do something, with the least rights that their service needs, as SECURITY.md lists them. */
export interface Account {
  readonly username: string;
  readonly password: string;
}

const KEYSTORE = "/etc/kafka/test-keystore.pem";
const TRUSTSTORE = "/etc/kafka/test-truststore.pem";
const TLS = {
  KAFKA_SSL_KEYSTORE_TYPE: "PEM",
  KAFKA_SSL_KEYSTORE_LOCATION: KEYSTORE,
  KAFKA_SSL_TRUSTSTORE_TYPE: "PEM",
  KAFKA_SSL_TRUSTSTORE_LOCATION: TRUSTSTORE,
};

function filesOf({ authority, server }: Certificates): Readonly<Record<string, string>> {
  return { [KEYSTORE]: server.key + server.cert, [TRUSTSTORE]: authority.cert };
}

/** A broker that demands a certificate of its clients. */
export async function startMutualTlsKafka(certificates: Certificates): Promise<KafkaCluster> {
  return await startKafka({
    clientProtocol: "SSL",
    files: filesOf(certificates),
    environment: { ...TLS, KAFKA_LISTENER_NAME_SECURE_SSL_CLIENT_AUTH: "required" },
  });
}

/** A broker that demands a user and password and knows who may do what. @param admin, of the mechanism PLAIN, may do everything. */
export async function startSaslKafka(
  certificates: Certificates,
  admin: Account,
): Promise<KafkaCluster> {
  const login = "org.apache.kafka.common.security";
  return await startKafka({
    clientProtocol: "SASL_SSL",
    files: filesOf(certificates),
    environment: {
      ...TLS,
      KAFKA_LISTENER_NAME_SECURE_SASL_ENABLED_MECHANISMS: "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN",
      KAFKA_LISTENER_NAME_SECURE_SCRAM___SHA___256_SASL_JAAS_CONFIG: `${login}.scram.ScramLoginModule required;`,
      KAFKA_LISTENER_NAME_SECURE_SCRAM___SHA___512_SASL_JAAS_CONFIG: `${login}.scram.ScramLoginModule required;`,
      KAFKA_LISTENER_NAME_SECURE_PLAIN_SASL_JAAS_CONFIG: `${login}.plain.PlainLoginModule required user_${admin.username}="${admin.password}";`,
      KAFKA_AUTHORIZER_CLASS_NAME: "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      // ANONYMOUS comes over the listener inside of the container.
      KAFKA_SUPER_USERS: `User:ANONYMOUS;User:${admin.username}`,
    },
  });
}

/** Makes a user, from within the broker's container. @param mechanism e.g. `SCRAM-SHA-512`. */
export async function addScramUser(
  kafka: KafkaCluster,
  mechanism: string,
  { username, password }: Account,
): Promise<void> {
  await kafka.exec(0, [
    "/opt/kafka/bin/kafka-configs.sh",
    ...["--bootstrap-server", `localhost:${INTERNAL_PORT}`],
    ...["--alter", "--entity-type", "users", "--entity-name", username],
    ...["--add-config", `${mechanism}=[password=${password}]`],
  ]);
}

/** What somebody may do. */
export interface Right {
  readonly to: Account;
  readonly of: "topic" | "group";
  readonly name: string;
  readonly operations: readonly ("read" | "write" | "describe")[];
}

const RESOURCES = { topic: AclResourceTypes.TOPIC, group: AclResourceTypes.GROUP } as const;
const OPERATIONS = {
  read: AclOperationTypes.READ,
  write: AclOperationTypes.WRITE,
  describe: AclOperationTypes.DESCRIBE,
} as const;

/** Gives rights, as somebody who may do so. */
export async function grant(admin: Admin, rights: readonly Right[]): Promise<void> {
  await admin.createAcls({
    acl: rights.flatMap(({ to, of, name, operations }) =>
      operations.map((operation) => ({
        principal: `User:${to.username}`,
        host: "*",
        permissionType: AclPermissionTypes.ALLOW,
        resourceType: RESOURCES[of],
        resourceName: name,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        operation: OPERATIONS[operation],
      })),
    ),
  });
}
