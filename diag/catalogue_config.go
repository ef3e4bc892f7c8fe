package diag

// What a configuration can be wrong about.
const (
	ConfigFileMissing     Code = "SLP-CFG-001"
	ConfigFileUnreadable  Code = "SLP-CFG-002"
	ConfigUnknownKey      Code = "SLP-CFG-003"
	ConfigFlatKey         Code = "SLP-CFG-004"
	ConfigType            Code = "SLP-CFG-005"
	ConfigValue           Code = "SLP-CFG-006"
	ConfigRequired        Code = "SLP-CFG-007"
	ConfigVariableTwice   Code = "SLP-CFG-008"
	ConfigVariableUnknown Code = "SLP-CFG-009"
	ConfigSource          Code = "SLP-CFG-010"
	ConfigSourceStale     Code = "SLP-CFG-011"
	ConfigSettingName     Code = "SLP-CFG-012"
	ConfigVariableClash   Code = "SLP-CFG-013"
	ConfigSecretDefault   Code = "SLP-CFG-014"
	ConfigEnvironment     Code = "SLP-CFG-015"
	ConfigFileUnused      Code = "SLP-CFG-016"
	ConfigGivenTwice      Code = "SLP-CFG-017"
	ConfigSetting         Code = "SLP-CFG-018"
	ConfigSecretInFile    Code = "SLP-CFG-019"
)

var configEntries = []Entry{
	{ConfigFileMissing, "the environment has no file", "There is a config directory, and in it no file for the environment that the service is started in. Going on would mean to run with whatever is common to all environments.", "write config/<environment>.yaml; an empty one, or one with comments alone, says that nothing differs"},
	{ConfigFileUnreadable, "a configuration file cannot be read", "The file or its directory is not there, is no regular file, or its permissions forbid reading.", "put a readable file there; CONFIG_PATH names a directory"},
	{ConfigUnknownKey, "nothing is configured by this key", "The key is misspelt, stands in the wrong place, or belongs to a setting that the contract does not declare.", "correct it; slipway config show lists the keys of a service, and the contract declares more below config"},
	{ConfigFlatKey, "a key is written with dots", "In a file, keys are mappings within each other. With both forms, one key could stand in two places of a file.", "write the nested form that the message names"},
	{ConfigType, "the value has the wrong type", "The key wants another kind of value, such as text, a number, a list or true.", "write the kind of value that the message names; slipway explain KEY tells what the key takes"},
	{ConfigValue, "the value is not allowed", "The value is out of bounds, not one of the words known here, or not in its unit's form.", "write a value that the message names; slipway explain KEY tells the bounds"},
	{ConfigRequired, "a setting has no value", "The contract declares the setting without a default, and neither a file nor a variable nor another source gives a value.", "set the variable that the message names; what is not secret can be in config/<environment>.yaml"},
	{ConfigVariableTwice, "two variables of one key differ", "A key can be given with SLIPWAY_ before its name and without. Both are set to different values, and the one with SLIPWAY_ counts.", "unset one of them"},
	{ConfigVariableUnknown, "a variable that begins with SLIPWAY_ configures nothing", "Its name is likely misspelt, so that what it was to change stays as it is.", "correct the name, or unset it"},
	{ConfigSource, "a source of configuration cannot be read", "The service was told to take values from there, and cannot know what it lacks.", "see that the source can be reached, and that the service may read it"},
	{ConfigSourceStale, "a source of configuration is away", "It was read before and cannot be read now. The values that it gave last are kept.", "see that the source can be reached; values follow by themselves once it is back"},
	{ConfigSettingName, "the name of a setting is taken", "The setting has the name of a key that every service has, or one of them would have to be a value and a mapping at once.", "rename the setting"},
	{ConfigVariableClash, "two keys have the same variable", "Names of variables have neither dots nor hyphens nor lower-case letters, so that different keys can end up with the same one. It could not be told which is meant.", "rename one of the two"},
	{ConfigSecretDefault, "a secret has a default", "A contract is read by everybody who reads the repository, and a default in it is not a secret.", "remove default; the value comes from a mounted file, a variable or another source"},
	{ConfigEnvironment, "the environment is not named", "There is a config directory, and ENVIRONMENT does not say which of its files counts.", "set ENVIRONMENT to the environment's name, such as dev"},
	{ConfigFileUnused, "a configuration file is not read", "Its name is neither common.yaml nor that of an environment with .yaml behind it.", "rename or remove it"},
	{ConfigGivenTwice, "a source gives a key twice", "Only one of the values could count, and it is not said which.", "remove one of them there"},
	{ConfigSetting, "a setting's keys contradict each other", "What is said by default, min, max, values or env does not go with the setting's type, or with each other.", "write values of the type, in the bounds that stand beside them"},
	{ConfigSecretInFile, "a secret is in a file of the program", "Files beside the contract are embedded in the program and lie in its repository: whoever has either has the secret.", "remove it from the file, give it by a mounted file, a variable or another source, and change it, because it is known"},
}
