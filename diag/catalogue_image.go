package diag

// Making images of services.
const (
	ImageService   Code = "SLP-IMG-001"
	ImageNoProgram Code = "SLP-IMG-002"
	ImageNoGo      Code = "SLP-IMG-003"
	ImageBuild     Code = "SLP-IMG-004"
	ImageCGO       Code = "SLP-IMG-005"
	ImageDynamic   Code = "SLP-IMG-006"
	ImageProgram   Code = "SLP-IMG-007"
	ImagePlatform  Code = "SLP-IMG-008"
	ImageZones     Code = "SLP-IMG-009"
	ImageRoots     Code = "SLP-IMG-010"
	ImageOutput    Code = "SLP-IMG-011"
	ImageModified  Code = "SLP-IMG-012"
	ImageReference Code = "SLP-IMG-013"
	ImageRegistry  Code = "SLP-IMG-014"
	ImageRefused   Code = "SLP-IMG-015"
	ImageTaken     Code = "SLP-IMG-016"
)

var imageEntries = []Entry{
	{ImageService, "there is no such service", "An image is made of one service, by the name in its contract, and the directory has no contract of that name.", "name one of the services that the message lists, and the directory their contracts are below"},
	{ImageNoProgram, "a service has no program", "The directory of the contract holds no Go package main: the contract stands for a service whose code is kept elsewhere, or it was pulled from another repository.", "run the command in the repository that has the code"},
	{ImageNoGo, "the go command cannot be used", "slipway image build compiles the service. It needs no container engine, but it needs Go.", "install Go (https://go.dev/dl) and have it in PATH"},
	{ImageBuild, "a service does not compile", "go build refused the package beside the contract, for Linux and without cgo.", "correct what the compiler names"},
	{ImageCGO, "a package wants cgo", "An image holds a static program, which is compiled without cgo. A package of the service has code that is left out then: it does without, fails to compile, or fails when it is called.", "use a package that is written in Go, such as modernc.org/sqlite for github.com/mattn/go-sqlite3; or build the image with a Dockerfile of your own"},
	{ImageDynamic, "the program is not static", "It was compiled without cgo and still wants the system's dynamic linker: a package of it loads C libraries by itself. The image has neither.", "use a package that is written in Go, or build the image with a Dockerfile of your own"},
	{ImageProgram, "what was compiled is not what an image can hold", "The file is no Linux program for the platform, or does not carry the linker's note of the modules in it, from which the bill of materials is made.", "build with the go command of a Go release, and leave wrappers of it out of PATH"},
	{ImagePlatform, "there is no such platform", "Images are made for Linux, on the architectures for which Go has a fixed baseline here.", "name one of those that the message lists"},
	{ImageZones, "the Go that compiles has no time zones", "An image has the time zones of the Go that compiles the service, the file lib/time/zoneinfo.zip below GOROOT. Some distributions leave it out.", "use a Go from https://go.dev/dl, or let the go command fetch one: GOTOOLCHAIN=go1.26.0+auto"},
	{ImageRoots, "the certificate authorities cannot be read", "The file that --roots names is not one of PEM certificates, and nothing else.", "name a file of certificates, such as the company's authorities and those of the internet together"},
	{ImageOutput, "the image cannot be written", "There is something else in its place, or the place cannot be written.", "name a directory that is not there or holds an image alone, or a file that ends in .tar"},
	{ImageModified, "the checkout has changes", "What is pushed should be found again by its commit. The checkout has files that are changed or that git does not know; an image that lies in it counts, unless git ignores it.", "commit them, or have git ignore them; --modified pushes all the same, and the version says so"},
	{ImageReference, "the name of an image is not understood", "An image is pushed to registry/path:tag. Without a tag it is the version. A digest cannot be chosen.", "write it like registry.example.com/shop/orders, or with a tag behind a colon"},
	{ImageRegistry, "the registry gives no usable answer", "It is down or slow, the name does not resolve, TLS does not agree, or something else answers there. The tag is written last, so what it stood for before stands.", "act on the message, then run the command again: what was sent is not sent again"},
	{ImageRefused, "the registry refused the credential", "There is no credential for it, or the one there is may not write. Nobody is asked for a password.", "log in first, with docker login or oras login"},
	{ImageTaken, "the tag is another image's", "The tag stands for another image already. Whoever deploys by tag would get something else than before.", "push under another tag; or move it with --move, as is right for a tag like latest"},
}
