package diag

// Sagas.
const (
	SagaDefinition Code = "SLP-SAG-001"
	SagaTopic      Code = "SLP-SAG-002"
	SagaTables     Code = "SLP-SAG-003"
	SagaVersion    Code = "SLP-SAG-004"
	SagaUnknown    Code = "SLP-SAG-005"
	SagaAmbiguous  Code = "SLP-SAG-006"
	SagaState      Code = "SLP-SAG-007"
	SagaStep       Code = "SLP-SAG-008"
)

var sagaEntries = []Entry{
	{SagaDefinition, "the definition of a saga is not valid", "A saga needs a name, and steps with names of their own, each with a command that asks for it; the versions of one saga differ in their numbers and have the same name.", "correct the definition that saga.New is given"},
	{SagaTopic, "a saga's command does not go through the outbox", "A command has to leave if and only if the saga's new state is kept, so its topic is one that the contract produces via: outbox.", "write via: outbox at the topic in produces of slipway.yaml"},
	{SagaTables, "the database has no tables of sagas", "The database is another one, or the tables slipway_saga, slipway_saga_history and slipway_saga_order were not made there, or this login may not read them.", "give the database of the service that runs the saga; the service makes the tables with saga.Migrate, or its migrations do with what saga.Schema prints"},
	{SagaVersion, "the program does not know a saga's version", "The saga was started under a version of its definition that the running program was not given. It is kept as it is.", "run a program that gives saga.New the former definition too, then slipway saga retry"},
	{SagaUnknown, "there is no such saga", "No saga of this id is in the database: it was never started there, or it was over so long ago that it is deleted.", "look at slipway saga list"},
	{SagaAmbiguous, "several sagas have this id", "An id is unique among the sagas of one name.", "write NAME/ID"},
	{SagaState, "a saga is not where this could be done to it", "Only a stuck saga can be retried, and one that is over stays as it is.", "look at it with slipway saga show"},
	{SagaStep, "the saga has no such step", "The step is none that the saga has begun.", "look at the steps with slipway saga show"},
}
