package onekey

import "strings"

// digits turns ASCII digits into numbers; nil if there is anything else.
func digits(s string) []int {
	out := make([]int, 0, len(s))
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return nil
		}
		out = append(out, int(s[i]-'0'))
	}
	return out
}

// validCPF checks a Brazilian CPF: 11 digits, not all the same, the last two are check digits modulo 11.
func validCPF(s string) bool {
	d := digits(s)
	if len(d) != 11 || strings.Count(s, s[:1]) == 11 {
		return false
	}
	for n := 9; n <= 10; n++ {
		sum := 0
		for i := range n {
			sum += d[i] * (n + 1 - i)
		}
		if sum*10%11%10 != d[n] {
			return false
		}
	}
	return true
}

// validCLABE checks a Mexican CLABE (contract 5.3): weights 3, 7, 1 over the first 17 digits, each product modulo 10.
func validCLABE(s string) bool {
	d := digits(s)
	if len(d) != 18 {
		return false
	}
	sum := 0
	for i := range 17 {
		sum += d[i] * [3]int{3, 7, 1}[i%3] % 10
	}
	return (10-sum%10)%10 == d[17]
}

// validCBU checks an Argentine CBU, or a CVU, which is built alike (OKP-CTY-2, assumed): a block of 8 and a block of 14 digits, each ending
// in its check digit.
func validCBU(s string) bool {
	d := digits(s)
	return len(d) == 22 && cbuBlock(d[:8], []int{7, 1, 3, 9, 7, 1, 3}) && cbuBlock(d[8:], []int{3, 9, 7, 1, 3, 9, 7, 1, 3, 9, 7, 1, 3})
}

func cbuBlock(d, weights []int) bool {
	sum := 0
	for i, w := range weights {
		sum += d[i] * w
	}
	return (10-sum%10)%10 == d[len(weights)]
}

// validRUT checks a Chilean RUT or RUN of 8 or 9 characters without dots and dash: the last is the check character modulo 11.
func validRUT(s string) bool {
	if len(s) != 8 && len(s) != 9 {
		return false
	}
	d := digits(s[:len(s)-1])
	if d == nil {
		return false
	}
	sum, weight := 0, 2
	for i := len(d) - 1; i >= 0; i-- {
		sum += d[i] * weight
		if weight++; weight > 7 {
			weight = 2
		}
	}
	return "0123456789K0"[11-sum%11] == strings.ToUpper(s)[len(s)-1]
}
