package diag

// How configuration is used by a service that starts, and by one that runs.
const (
	SettingUndeclared   Code = "SLP-CFG-040"
	SettingType         Code = "SLP-CFG-041"
	SettingsImpossible  Code = "SLP-CFG-042"
	SettingsRefused     Code = "SLP-CFG-043"
	SettingsPending     Code = "SLP-CFG-044"
	ServiceFlagsInvalid Code = "SLP-CFG-045"
)

var liveEntries = []Entry{
	{SettingUndeclared, "the code uses a setting that the contract does not declare", "slipway.NewSetting was called with a key that the contract's config block does not have.", "Declare the key under config in slipway.yaml, or correct its name in the code."},
	{SettingType, "the code and the contract disagree on a setting's type", "slipway.NewSetting was called with another Go type than the one that the setting's type in the contract's config block is read as.", "Use the Go type that the message names, or change the type in slipway.yaml."},
	{SettingsImpossible, "the configuration asks for what the contract cannot have", "A setting of consumption (retry, breaker, preset and the like) does not go with the rest of the entry's policy, or needs a topic that the contract does not give it. Topics follow from the contract, not from the configuration.", "Correct the setting where the message says it comes from, or change the policy in slipway.yaml."},
	{SettingsRefused, "a changed configuration is not used", "The configuration was changed while the service ran, and something in it is wrong. Nothing of the change is used; the service goes on as it was.", "Correct what the message names. The service looks again by itself, and says when it uses the configuration."},
	{SettingsPending, "settings wait for a restart", "The configuration was changed in keys that a running service does not take over. The service goes on with the values that it started with.", "Restart the instances one after the other when it suits, or take the change back."},
	{ServiceFlagsInvalid, "the service's flags are wrong", "The service was started with a flag that it does not have, without a flag's value, or with more than flags.", "Run the service with --help to see its flags and keys."},
}
