package diag

// Problems with the real Kafka on the developer's machine.
const (
	DevConfig     Code = "SLP-DEV-001"
	DevJava       Code = "SLP-DEV-002"
	DevJavaOld    Code = "SLP-DEV-003"
	DevMaven      Code = "SLP-DEV-004"
	DevFetch      Code = "SLP-DEV-005"
	DevPortTaken  Code = "SLP-DEV-006"
	DevRunning    Code = "SLP-DEV-007"
	DevNotRunning Code = "SLP-DEV-008"
	DevState      Code = "SLP-DEV-009"
	DevEnded      Code = "SLP-DEV-010"
	DevNotReady   Code = "SLP-DEV-011"
	DevSupervisor Code = "SLP-DEV-012"
)

var devEntries = []Entry{
	{
		Code:  DevConfig,
		Title: "the settings of the local Kafka are wrong",
		Cause: "An instance's name is not a DNS label of at most 40 characters, or its ports do not fit below 65536.",
		Fix:   "Correct the setting the message names.",
	},
	{
		Code:  DevJava,
		Title: "no usable Java on this machine",
		Cause: "Real Kafka runs on Java, and there is no java in JAVA_HOME or PATH, or the one there does not tell its version.",
		Fix:   "Install Java 17 or newer (Debian: apt install openjdk-17-jre-headless; macOS: brew install openjdk), or use the embedded broker, which needs none.",
	},
	{
		Code:  DevJavaOld,
		Title: "Java is too old for Kafka 4",
		Cause: "Kafka 4 brokers run on Java 17 and newer.",
		Fix:   "Install Java 17 or newer, and point JAVA_HOME or PATH to it.",
	},
	{
		Code:  DevMaven,
		Title: "Maven is not installed",
		Cause: "Kafka's jars are fetched once, by Maven, and they are not in the cache yet.",
		Fix:   "Install Maven (Debian: apt install maven; macOS: brew install maven), or use the embedded broker, which needs none.",
	},
	{
		Code:  DevFetch,
		Title: "Kafka or the schema registry could not be fetched",
		Cause: "Maven ended with an error: no network, a mirror or proxy that is not set up, or a full disk.",
		Fix:   "Run the command in the evidence by hand; a mirror or proxy belongs into Maven's settings.xml. Nothing half-fetched is kept.",
	},
	{
		Code:  DevPortTaken,
		Title: "a port is taken",
		Cause: "Another program listens on a port that the local Kafka was told to use.",
		Fix:   "End the other program, name another first port, or name none: free ports are picked then.",
	},
	{
		Code:  DevRunning,
		Title: "the local Kafka is running already",
		Cause: "A process holds the lock of this instance's directory; two of them on the same data would destroy it.",
		Fix:   "Use the running one (slipway dev status), end it (slipway dev down), or give the new one another name.",
	},
	{
		Code:  DevNotRunning,
		Title: "the local Kafka is not running",
		Cause: "Nobody holds the lock of this instance's directory.",
		Fix:   "Start it with slipway dev up.",
	},
	{
		Code:  DevState,
		Title: "the local Kafka's directory cannot be used",
		Cause: "A file in it cannot be read or written, was damaged, or is a key that others may read.",
		Fix:   "Correct the file the message names. Removing the whole directory starts afresh and loses the cluster's data.",
	},
	{
		Code:  DevEnded,
		Title: "a process of the local Kafka ended by itself",
		Cause: "A broker or the registry ended during its start, or so often afterwards that it is no longer restarted. The evidence is the end of its log.",
		Fix:   "Read the evidence. Out of memory is the usual cause: three nodes and the registry need 3 GiB free.",
	},
	{
		Code:  DevNotReady,
		Title: "the local Kafka did not become ready in time",
		Cause: "The processes run, but not all of them answered a client in time. A machine under heavy load is the usual cause.",
		Fix:   "Try again with a longer timeout, and look into the logs that the evidence names.",
	},
	{
		Code:  DevSupervisor,
		Title: "the local Kafka's supervisor did not do as told",
		Cause: "The process that runs in the background could not be started, ended before the cluster was ready, or did not end when told to.",
		Fix:   "Read the evidence, or run slipway dev up in the foreground.",
	},
}
