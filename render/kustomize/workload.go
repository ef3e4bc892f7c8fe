package kustomize

import (
	"slices"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/render/manifest"
)

// revisions is how many of the earlier pod templates are kept, to go back to.
const revisions = 3

// workload is what runs the pods: a Deployment, or a StatefulSet where an instance's
// name or disk has to outlive it. The number of pods is not in it: an autoscaler
// owns it, or kustomization.yaml says it.
func (s *site) workload() object {
	if s.stateful() {
		return s.statefulSet()
	}
	labels := append(s.labels(), s.version()...)
	return object{file: "deployment.yaml", body: manifest.Object("apps/v1", "Deployment", s.svc.Name, "", labels, manifest.E("spec", manifest.Map{
		manifest.E("revisionHistoryLimit", revisions),
		manifest.E("strategy", manifest.Map{
			manifest.E("type", "RollingUpdate"),
			manifest.E("rollingUpdate", manifest.Map{
				manifest.E("maxSurge", 1).From("one after the other: each new member of a group moves partitions"),
				manifest.E("maxUnavailable", 0).From("never fewer than there were"),
			}),
		}),
		s.selector(),
		manifest.E("template", s.template()),
	}))}
}

func (s *site) statefulSet() object {
	labels := append(s.labels(), s.version()...)
	spec := manifest.Map{
		manifest.E("serviceName", instances(s.svc)),
		manifest.E("revisionHistoryLimit", revisions),
		manifest.E("podManagementPolicy", "Parallel").From("instances do not wait for each other to start"),
		manifest.E("updateStrategy", manifest.Map{manifest.E("type", "RollingUpdate")}).From("the last one first, and the next once it is ready"),
		s.selector(),
		manifest.E("template", s.template()),
	}
	if size := manifest.Volume(s.svc); size > 0 {
		spec = append(spec,
			manifest.E("persistentVolumeClaimRetentionPolicy", manifest.Map{
				manifest.E("whenDeleted", "Retain"),
				manifest.E("whenScaled", "Retain"),
			}).From("what was acknowledged is on them"),
			manifest.E("volumeClaimTemplates", []manifest.Map{s.claim(size)}).From("%s", s.why()))
	}
	return object{file: "statefulset.yaml", why: s.lasting() + s.why() + ".", body: manifest.Object("apps/v1", "StatefulSet", s.svc.Name, "", labels, manifest.E("spec", spec))}
}

// lasting says what of an instance outlives it.
func (s *site) lasting() string {
	if manifest.Volume(s.svc) > 0 {
		return "Instances have disks that outlive them, and so names: "
	}
	return "Instances have names that outlive them: "
}

// why says what makes the service one whose instances are told apart.
func (s *site) why() string {
	if spills := manifest.Spills(s.svc); len(spills) > 0 {
		return s.at("produces/" + spills[0].Topic + "/away")
	}
	if manifest.DatabaseOf(s.svc) == manifest.FileDatabase {
		if rows := manifest.KeepsRows(s.svc); rows != "" {
			return s.at(rows) + ", in a file"
		}
	}
	if c := manifest.Static(s.svc); c != nil && manifest.Volume(s.svc) == 0 {
		return s.at("consumes/" + c.Name + "/static")
	}
	return s.at("workload/volume")
}

// claim is the template of an instance's volume. A template never changes once it is
// applied, so it has no label that could: not even the owner.
func (s *site) claim(size contract.Bytes) manifest.Map {
	spec := manifest.Map{manifest.E("accessModes", []string{"ReadWriteOnce"})}
	if s.env != nil && s.env.platform.StorageClass != "" {
		spec = append(spec, manifest.E("storageClassName", s.env.platform.StorageClass).From("%s", s.platformAt("storageClass")))
	}
	return manifest.Map{
		manifest.E("apiVersion", "v1").From("the API server adds both, and Argo CD would see a difference for ever"),
		manifest.E("kind", "PersistentVolumeClaim"),
		manifest.E("metadata", manifest.Map{manifest.E("name", dataVolume), manifest.E("labels", manifest.Selector(s.svc))}),
		manifest.E("spec", append(spec, manifest.E("resources", manifest.Map{
			manifest.E("requests", manifest.Map{manifest.E("storage", contract.FormatMemory(size)).From("%s", s.at("workload/volume"))}),
		}))),
	}
}

// version is the label of what runs, where the image's tag says it.
func (s *site) version() manifest.Map {
	if s.env == nil {
		return nil
	}
	tag := s.image().tag
	if tag == "" {
		return nil
	}
	return manifest.Map{manifest.E(manifest.VersionLabel, manifest.LabelValue(tag)).From("%s", s.at("workload/image"))}
}

// environment is the label by which monitoring knows where a pod runs. Pods have it from
// here: what kustomization.yaml says of labels reaches objects, and not their pods.
func (s *site) environment() manifest.Map {
	if s.env == nil {
		return nil
	}
	return manifest.Map{manifest.E(manifest.EnvironmentLabel, s.env.Env)}
}

// template is the pod.
func (s *site) template() manifest.Map {
	return manifest.Map{
		manifest.E("metadata", manifest.Map{
			manifest.E("labels", slices.Concat(s.labels(), s.version(), s.environment())),
			manifest.E("annotations", manifest.Map{
				manifest.E("kubectl.kubernetes.io/default-container", container),
			}),
		}),
		manifest.E("spec", s.pod()),
	}
}
