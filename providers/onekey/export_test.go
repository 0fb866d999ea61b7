package onekey

import "maps"

// PayoutValues are right values for every payout method, for the tests of this folder.
func PayoutValues(method string) map[string]string {
	person := map[string]string{"beneficiary_name": "Ana", "beneficiary_lastname": "Souza"}
	more := map[string]map[string]string{
		"br_pix_cpf":   {"document_id": "52998224725"},
		"br_pix_phone": {"document_id": "52998224725", "phone": "+5511666666666"},
		"br_pix_email": {"document_id": "52998224725", "email": "user@example.com"},
		"br_bank":      {"document_id": "52998224725", "bank_code": "001", "bank_branch": "1234", "bank_account": "3423422-7", "account_type": "C"},
		"cl_bank":      {"document_type": "RUT", "document_id": "123456785", "bank_code": "037", "bank_account": "123456", "account_type": "V"},
		"mx_clabe":     {"document_type": "CURP", "document_id": "GODE561231HDFRRN09", "bank_account": "021790064060296642"},
		"co_bank":      {"document_type": "CC", "document_id": "1234567890", "bank_code": "1007", "bank_account": "12345678901", "account_type": "S"},
		"co_nequi":     {"document_type": "CC", "document_id": "1234567890", "bank_account": "573001234567"},
		"co_daviplata": {"document_type": "CE", "document_id": "123456", "bank_account": "3001234567"},
		"ar_cbu":       {"document_type": "DNI", "document_id": "12345678", "bank_account": "2850590940090418135201"},
		"pe_cci":       {"document_type": "DNI", "document_id": "12345678", "bank_account": "00219100123456789012", "account_type": "C"},
	}[method]
	if more == nil {
		return nil // a locked method
	}
	out := maps.Clone(more)
	maps.Copy(out, person)
	m := map[string]bool{"br_pix_cpf": true, "br_pix_phone": true, "br_pix_email": true, "br_bank": true, "cl_bank": true}
	if m[method] {
		delete(out, "beneficiary_lastname")
	}
	return out
}
