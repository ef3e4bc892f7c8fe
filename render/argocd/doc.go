// Package argocd derives what Argo CD deploys the services by.
package argocd
