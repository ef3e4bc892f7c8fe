package contract

// The tables of external.yaml, which no service reads: see clustersType.
func externalType() typ[External] {
	return object(
		at("apiVersion", literal(APIVersion), func(*External) *string { return new(string) }, "The version of this format.", required),
		at("kind", literal(externalKind), func(*External) *string { return new(string) }, "That this file lists what others own.", required),
		at("topics", mapOf(topicNames, externalTopicType(), func(t *ExternalTopic, name string) { t.Name = name }), func(e *External) *map[string]*ExternalTopic { return &e.Topics },
			"Topics of other owners."),
		at("groups", setOf(kafkaName("consumer group")), func(e *External) *[]string { return &e.Groups }, "Consumer groups of others, which no service may use."),
		at("principals", setOf(matching("principal", `^User:[^\s*]+$`, 255, "write it as ACLs do: User:name")), func(e *External) *[]string { return &e.Principals },
			"Principals of others, whose ACLs are left alone."),
		at("readers", mapOf(serviceNames, externalReaderType(), func(r *ExternalReader, name string) { r.Name = name }), func(e *External) *map[string]*ExternalReader { return &e.Readers },
			"Programs of others that read a topic of the estate with a schema of their own. A plan registers no schema that they could not read."),
	)
}

func externalReaderType() typ[ExternalReader] {
	return object(
		at("topic", topicNames.typ(), func(r *ExternalReader) *string { return &r.Topic }, "The topic that it reads.", required),
		at("schema", readerSchemaType, func(r *ExternalReader) *Schema { return &r.Schema }, "What it needs.", required),
	)
}

func externalTopicType() typ[ExternalTopic] {
	return object(
		at("cluster", aliasNames.typ(), func(t *ExternalTopic) *string { return &t.Cluster }, "The logical cluster the topic is on.", def(DefaultAlias)),
		at("partitions", integer(1, maxPartitions), func(t *ExternalTopic) *int { return &t.Partitions }, "How many partitions it has. Absent means unknown."),
		at("partitioner", oneOf(Java, Sarama, Librdkafka), func(t *ExternalTopic) *Partitioner { return &t.Partitioner }, "The client whose placement of keys its writers use. Absent means unknown."),
		at("schema", optional(readerSchemaType), func(t *ExternalTopic) **Schema { return &t.Schema }, "The schema of the values, where it is known."),
		at("readers", setOf(serviceNames.typ()), func(t *ExternalTopic) *[]string { return &t.Readers }, "The services that its owner lets read. Absent means any."),
		at("writers", setOf(serviceNames.typ()), func(t *ExternalTopic) *[]string { return &t.Writers }, "The services that its owner lets write. Absent means any."),
	)
}
