; Two majorities of one set have a member in common, however large the set.
;
; Raft needs it for one leader per term (two candidates, two majorities of voters, one vote each) and for leader
; completeness (the majority that stored an entry, and the one that elected a later leader): Ongaro and Ousterhout 2014,
; sections 5.2 and 5.4.3. protocols/raft/quorum.ts counts this majority; lemmas.test.ts compares the two.

(define-fun majority ((n Int)) Int (+ (div n 2) 1))

; A set of n voters, and two sets A and B of them with their sizes: inclusion-exclusion.smt2.
(declare-const n Int)
(declare-const a Int)
(declare-const b Int)
(declare-const either Int)
(declare-const both Int)
(assert (and (>= n 1) (= (+ a b) (+ either both)) (<= 1 a n) (<= 1 b n) (<= 0 both a) (<= both b) (<= either n)))

(echo "lemma: two majorities have a member in common")
(push 1)
(assert (and (>= a (majority n)) (>= b (majority n))))
(assert (= both 0))
(check-sat)
(pop 1)

(echo "twin: if one of them is a voter short, they may have none")
(push 1)
(assert (and (>= a (majority n)) (>= b (- (majority n) 1))))
(assert (= both 0))
(check-sat)
(pop 1)

(echo "twin: two halves of an even set may have none, so half is no majority")
(push 1)
(assert (and (>= (* 2 a) n) (>= (* 2 b) n)))
(assert (= both 0))
(check-sat)
(pop 1)

(echo "lemma: a majority is left as long as less than half of the voters fail")
(push 1)
(declare-const failed Int)
(assert (and (<= 0 failed) (< (* 2 failed) n)))
(assert (< (- n failed) (majority n)))
(check-sat)
(pop 1)

(echo "twin: not when half of them fail")
(push 1)
(declare-const failed Int)
(assert (and (<= 0 failed) (<= (* 2 failed) n)))
(assert (< (- n failed) (majority n)))
(check-sat)
(pop 1)
