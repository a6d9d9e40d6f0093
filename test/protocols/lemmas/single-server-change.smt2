; Majorities of n voters, and of these and one more, have a member in common: so a change of one server needs no joint
; configuration.
;
; Raft needs it where one server at a time is added or removed (Ongaro 2014, thesis, section 4.1). Removing is adding seen
; from the other side.

(define-fun majority ((n Int)) Int (+ (div n 2) 1))

; Among `all` voters, sets A and B of these sizes that have no member in common: inclusion-exclusion.smt2.
(define-fun disjoint ((all Int) (a Int) (b Int)) Bool (and (<= 0 a all) (<= 0 b all) (<= (+ a b) all)))

(declare-const n Int)
(declare-const a Int)
(declare-const b Int)
(assert (and (>= n 1) (>= a (majority n))))

(echo "lemma: majorities of n voters and of n + 1 meet")
(push 1)
(assert (disjoint (+ n 1) a b))
(assert (>= b (majority (+ n 1))))
(check-sat)
(pop 1)

(echo "twin: those of n and n + 2 may not, so two servers at once are too many")
(push 1)
(assert (disjoint (+ n 2) a b))
(assert (>= b (majority (+ n 2))))
(check-sat)
(pop 1)

; Why a leader commits an entry of its own term before it changes anything (Ongaro, raft-dev, 10 July 2015): without it
; two leaders in turn may start from the same n voters, each adding another one, and neither knows of the other's.
(echo "twin: nor may those of two changes that both start from the same n voters")
(push 1)
(declare-const c Int)
(assert (and (>= b (majority (+ n 1))) (>= c (majority (+ n 1)))))
(assert (disjoint (+ n 2) b c))
(check-sat)
(pop 1)
