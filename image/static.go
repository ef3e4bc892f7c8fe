package image

import (
	"bytes"
	"debug/elf"

	"github.com/slipway-go/slipway/diag"
)

var machines = map[string]elf.Machine{
	"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "ppc64le": elf.EM_PPC64, "riscv64": elf.EM_RISCV, "s390x": elf.EM_S390,
}

// judge refuses a program that would not start in the image, which has no
// dynamic linker: one can get there without cgo, by packages that load C
// libraries themselves.
func judge(name string, p Program) error {
	f, err := elf.NewFile(bytes.NewReader(p.Binary))
	if err != nil {
		return diag.New(diag.ImageProgram, "%s for %s is no Linux program: %v", name, p.Platform, err)
	}
	if f.Machine != machines[p.Platform.Arch] {
		return diag.New(diag.ImageProgram, "%s for %s is a program for %s", name, p.Platform, f.Machine)
	}
	for _, s := range f.Progs {
		if s.Type == elf.PT_INTERP {
			return diag.New(diag.ImageDynamic, "%s for %s wants a dynamic linker, which the image does not have", name, p.Platform).
				WithEvidence("libraries: %v", libraries(f))
		}
	}
	return nil
}

func libraries(f *elf.File) []string {
	all, _ := f.ImportedLibraries() // it is evidence, and the file may have none
	return all
}
