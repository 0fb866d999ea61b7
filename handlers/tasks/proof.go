package tasks

import (
	"context"

	"countinghouse/models"
	"countinghouse/providers"
)

// UploadProof hands a proof of transfer to a provider and gives the provider's id of it. It moves no money.
func (d *Desk) UploadProof(ctx context.Context, credentialID string, doc providers.Document) (string, error) {
	client, p, _, err := d.Client(ctx, credentialID)
	if err != nil {
		return "", err
	}
	up, ok := client.(providers.ProofUploader)
	if !ok {
		return "", models.Errorf(models.Invalid, "%s takes no files.", p.Description.Short)
	}
	return up.UploadProof(WithSubject(ctx, "credential", credentialID), doc)
}
