package diag

// Plans that are kept, deletions, and applies that meet.
const (
	PlanKept     Code = "SLP-PLN-020"
	PlanStale    Code = "SLP-PLN-021"
	PlanEdited   Code = "SLP-PLN-022"
	PlanForeign  Code = "SLP-PLN-023"
	PlanFile     Code = "SLP-PLN-024"
	PlanLocked   Code = "SLP-PLN-025"
	PlanLockLost Code = "SLP-PLN-026"
)

var trustEntries = []Entry{
	{
		Code:  PlanKept,
		Title: "What was named for deletion is never deleted",
		Cause: "An --allow delete:… names something that a contract calls for or protects, that others own, or that the principal which applies needs itself. No permission covers that.",
		Fix:   "Leave the --allow out. To give up a topic, take it out of its contract first; slipway drift then lists it with the name to allow.",
	},
	{
		Code:  PlanStale,
		Title: "The plan is stale",
		Cause: "Contracts or cluster have changed since the plan was made, so its changes are not what the contracts call for now.",
		Fix:   "Plan again, read what is different, and apply the new plan. Nothing was changed.",
	},
	{
		Code:  PlanEdited,
		Title: "The plan was edited",
		Cause: "The file is not what slipway plan --out wrote: its content hash does not match, or its changes are not the ones that its own contracts and cluster lead to.",
		Fix:   "Make a new plan with slipway plan --out. A plan is changed by changing contracts, never by hand.",
	},
	{
		Code:  PlanForeign,
		Title: "The plan is for somewhere else",
		Cause: "The saved plan was made for another environment or another cluster than the one at hand.",
		Fix:   "Apply it in the estate that it was made in, or plan again for this one.",
	},
	{
		Code:  PlanFile,
		Title: "A plan file cannot be read or written",
		Cause: "The file is absent, is no regular file (a link, a pipe, a device), is larger than 64 MiB, or is not in the form of a saved plan.",
		Fix:   "Name the file that slipway plan --out wrote, or a path where a regular file may stand.",
	},
	{
		Code:  PlanLocked,
		Title: "Another apply is under way",
		Cause: "Applies to one environment exclude each other by a consumer group that serves as a lock, and another client is in it.",
		Fix:   "Wait for the other apply to end. If its process is gone, the lock ends by itself within 30 seconds.",
	},
	{
		Code:  PlanLockLost,
		Title: "The apply lost its lock",
		Cause: "The cluster did not hear from this client for so long that another apply may have begun. What was not begun was left.",
		Fix:   "Check the connection to the cluster and apply again: it does only what is missing.",
	},
}
