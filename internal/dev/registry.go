package dev

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"github.com/slipway-go/slipway/internal/proc"
)

func registryURL(port int) string { return fmt.Sprintf("http://%s/apis/ccompat/v7", address(port)) }

func registryDir(c *Cluster) string { return filepath.Join(c.cfg.Dir, "registry") }

func prepareRegistry(c *Cluster) error {
	return makeWithLog(registryDir(c), c.registry.log)
}

// newRegistry runs Apicurio with its database in a file. Every write is on
// disk before it is answered: without WRITE_DELAY=0 the database may lose half
// a second when it is killed.
func newRegistry(c *Cluster) *worker {
	dir := registryDir(c)
	loaded := registryArtifact.classesOf(c.cfg, c.java, dir)
	w := c.newWorker("registry", filepath.Join(dir, "console.log"), proc.Config{
		Path: c.java.path,
		Args: append(loaded.make(),
			"-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError",
			"-Dquarkus.http.host=127.0.0.1",
			"-Dquarkus.http.port="+strconv.Itoa(c.ports.Registry),
			"-Dquarkus.datasource.jdbc.url=jdbc:h2:file:"+filepath.Join(dir, "registry")+";WRITE_DELAY=0",
			"-Dquarkus.datasource.jdbc.min-size=1",
			"-Dquarkus.datasource.jdbc.initial-size=1",
			"-jar", filepath.Join(registryArtifact.dir(c.cfg.Cache), registryJar),
		),
		Dir: dir,
	})
	w.classes = loaded
	return w
}

// askRegistry reports whether the registry at the URL answers.
func askRegistry(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/subjects", nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: it is this machine
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("registry answers %s", resp.Status)
	}
	return nil
}
