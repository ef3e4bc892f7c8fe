package dev

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"
)

// classes are a program's as the virtual machine has them in memory when it has
// loaded them (class data sharing): who starts with them needs less than
// two thirds of the processor time. They are for one build of Java and one of the
// program; the virtual machine checks that, and else goes without.
//
// The first process that ends in order leaves them, which takes it some seconds
// more. They come into the cache whole or not at all, because the virtual machine checks no more
// than their beginning.
type classes struct {
	file  string // in the cache; "" where this Java shares none
	draft string // that the process writes as it ends; "" if file is there
}

// classesOf are those of an artifact's program for a Java. A process with dir as
// its directory may leave them.
func (a artifact) classesOf(cfg Config, vm javaVM, dir string) classes {
	if !vm.shares {
		return classes{}
	}
	sum := sha256.Sum256([]byte(vm.path + "\n" + vm.version))
	c := classes{file: filepath.Join(cfg.Cache, a.name+"."+hex.EncodeToString(sum[:6])+".jsa")}
	if _, err := os.Stat(c.file); err != nil {
		c.draft = filepath.Join(dir, "classes.jsa")
	}
	return c
}

// use are the arguments of a process that starts with the classes.
func (c classes) use() []string {
	if c.file == "" || c.draft != "" {
		return nil
	}
	return []string{"-XX:SharedArchiveFile=" + c.file}
}

// make are those of one that leaves them where there are none yet.
func (c classes) make() []string {
	if c.draft == "" {
		return c.use()
	}
	return []string{"-XX:ArchiveClassesAtExit=" + c.draft, "-Xlog:cds=off", "-Xlog:cds+dynamic=off"}
}

// grace is how long a process may take to end in order that leaves them.
func (c classes) grace() time.Duration {
	if c.draft == "" {
		return 0
	}
	return 3 * stopGrace // with another stopGrace less than downGrace
}

// keep brings into the cache what a process has left that ended in order. That
// there is nothing, or no room for it, costs time at the next start and no more.
func (c classes) keep() {
	if c.draft == "" {
		return
	}
	from, err := os.Open(c.draft)
	if err != nil {
		return
	}
	defer os.Remove(c.draft)
	defer from.Close()
	to, err := os.CreateTemp(filepath.Dir(c.file), ".classes-") // the cache may be on another disk
	if err != nil {
		return
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Sync(), to.Close()); err == nil {
		err = os.Rename(to.Name(), c.file)
	}
	if err != nil {
		_ = os.Remove(to.Name())
	}
}
