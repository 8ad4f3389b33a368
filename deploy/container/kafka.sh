#!/usr/bin/env bash
# The entry of Kafka's container: one broker that is its own controller, with an account made when its storage is. Every listener that
# others reach asks for it (SCRAM-SHA-512); the controller's is on the loopback address of the container.
set -euo pipefail

kafka=${KAFKA_DIR:-/opt/kafka} data=${KAFKA_DATA:-/var/lib/kafka/data} temporary=${KAFKA_TEMPORARY:-/tmp}
secrets=${KAFKA_SECRETS:-/run/servers/kafka}
# Host and port under which others reach each listener: containers of this network, and programs of this machine.
inside=${KAFKA_INSIDE:-kafka:29092} outside=${KAFKA_OUTSIDE:-localhost:9092} controller=${KAFKA_CONTROLLER:-localhost:9093}
name=driftloop
password=$(<"$secrets/password") cluster=$(<"$secrets/cluster")
login="org.apache.kafka.common.security.scram.ScramLoginModule required username=\"$name\" password=\"$password\";"

umask 077
cat >"$temporary/server.properties" <<END
node.id=1
process.roles=broker,controller
listeners=INTERNAL://:${inside##*:},HOST://:${outside##*:},CONTROLLER://$controller
advertised.listeners=INTERNAL://$inside,HOST://$outside
inter.broker.listener.name=INTERNAL
controller.listener.names=CONTROLLER
controller.quorum.voters=1@$controller
listener.security.protocol.map=CONTROLLER:PLAINTEXT,INTERNAL:SASL_PLAINTEXT,HOST:SASL_PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.internal.scram-sha-512.sasl.jaas.config=$login
listener.name.host.scram-sha-512.sasl.jaas.config=$login
log.dirs=$data
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
END
# What a person asks with: kafka-topics.sh --command-config /tmp/client.properties …
cat >"$temporary/client.properties" <<END
security.protocol=SASL_PLAINTEXT
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config=$login
END

"$kafka/bin/kafka-storage.sh" format --ignore-formatted --cluster-id "$cluster" --config "$temporary/server.properties" \
  --add-scram "SCRAM-SHA-512=[name=$name,password=$password]"
exec "$kafka/bin/kafka-server-start.sh" "$temporary/server.properties"
