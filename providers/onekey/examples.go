package onekey

import "countinghouse/providers"

// examples are made-up values with right check digits, by method and field, for the demonstration: nobody's documents and accounts.
func examples(method, field string) []string {
	cpfs := []string{"34167211017", "68403885490", "21430443219", "44519568382", "23741840483", "94836694647", "72344010750", "48875231656"}
	return map[string]map[string][]string{
		"br_pix_cpf":       {"document_id": cpfs},
		"br_pix_email":     {"document_id": cpfs},
		"br_pix_phone":     {"document_id": cpfs, "phone": {"+5511919081512", "+5511939791127", "+5511949469373", "+5511955358876", "+5511996547690", "+5511952878956"}},
		"br_bank":          {"document_id": cpfs, "bank_code": {"001"}, "bank_branch": {"1234", "0456", "2877"}, "bank_account": {"7902817-6", "5147379-2", "3314202-7", "9840832-2", "4051140-5", "3262185-1"}, "account_type": {"C"}},
		"cl_bank":          {"document_type": {"RUT"}, "document_id": {"22663343K", "197519487", "58856177", "76504369", "61469966", "249476684", "87888487", "214024543"}, "bank_account": {"4435939565", "9133528300", "2345870462", "3697550727", "1631549801", "8280293959"}},
		"mx_clabe":         {"document_id": {"GODE561231HDFRRN09", "ROSA850412MDFMNN04", "PELJ900101HJCRRN07"}, "bank_account": {"002374256958351033", "012499315247005149", "014505452691493741", "021246925905072556", "072491736310002926", "127908793501846372"}},
		"co_bank":          {"document_type": {"CC"}, "document_id": {"9492051804", "6118763463", "8611195866", "8134761825", "3225754802", "1418179781"}, "bank_code": {"1007", "1009", "1051"}, "bank_account": {"92862347816", "32486846526", "16040421219", "13380782765", "38931795469", "13499475135"}},
		"co_nequi":         {"document_type": {"CC"}, "document_id": {"9492051804", "6118763463", "8611195866", "8134761825", "3225754802", "1418179781"}, "bank_account": {"573002095875", "573002207889", "573004031592", "573005188013", "573005900072", "573004535469"}},
		"co_daviplata":     {"document_type": {"CC"}, "document_id": {"9492051804", "6118763463", "8611195866", "8134761825", "3225754802", "1418179781"}, "bank_account": {"573002095875", "573002207889", "573004031592", "573005188013", "573005900072", "573004535469"}},
		"ar_cbu":           {"document_type": {"DNI"}, "document_id": {"93645320", "19587948", "89976249", "65261929", "34539591", "26255524"}, "bank_account": {"0073376670367363730049", "0114383236425059196071", "0176163292547568345673", "0721430769240279766307", "2853209541663803295876"}},
		"pe_cci":           {"document_type": {"DNI"}, "document_id": {"93645320", "19587948", "89976249", "65261929", "34539591", "26255524"}, "bank_account": {"70267188484365230764", "66659344810649429512", "23437150793213811549", "31202340955952230020", "57132679878556600225"}},
		"dep_br_pix":       {"document": cpfs},
		"dep_hosted_br":    {"document": cpfs, "payment_method": {"IX"}, "language": {"pt"}},
		"dep_card_on_file": {"document": cpfs, "country": {"BR"}, "card_identifier": {"card_demo_0001", "card_demo_0002"}, "client_ip": {"203.0.113.7"}, "installments": {"1", "3"}},
		"refund_bank":      {"bank_code": {"001", "237"}, "branch": {"1234"}, "account_number": {"7902817-6", "5147379-2", "3314202-7", "9840832-2", "4051140-5", "3262185-1"}},
		"wallet_transfer":  {"from": {"PROPRIETARY"}, "to": {"TRANSACTIONAL"}},
	}[method][field]
}

// withExamples puts the examples into the forms.
func withExamples(all []providers.Method) []providers.Method {
	for i := range all {
		for j := range all[i].Fields {
			all[i].Fields[j].Examples = examples(all[i].ID, all[i].Fields[j].Name)
		}
	}
	return all
}
