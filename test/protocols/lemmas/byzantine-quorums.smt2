; Two quorums of 2f + 1 among 3f + 1 replicas have at least f + 1 replicas in common, hence one that does not lie.
;
; Raft does not need it: its members do not lie, and for them f is 0. PBFT does, for prepared and committed certificates
; (Castro and Liskov 1999, section 4.2).

(declare-const f Int)
(declare-const n Int)
(declare-const a Int)
(declare-const b Int)
(declare-const both Int)
(assert (and (>= f 0) (<= 0 both a n) (<= both b n) (<= (- (+ a b) both) n)))

(echo "lemma: quorums of 2f + 1 among 3f + 1 share at least f + 1")
(push 1)
(assert (= n (+ (* 3 f) 1)))
(assert (and (>= a (+ (* 2 f) 1)) (>= b (+ (* 2 f) 1))))
(assert (<= both f))
(check-sat)
(pop 1)

(echo "twin: quorums of 2f may share only liars")
(push 1)
(assert (>= f 1))
(assert (= n (+ (* 3 f) 1)))
(assert (and (>= a (* 2 f)) (>= b (* 2 f))))
(assert (<= both f))
(check-sat)
(pop 1)

(echo "twin: so may quorums of 2f + 1 if there is one replica more")
(push 1)
(assert (>= f 1))
(assert (= n (+ (* 3 f) 2)))
(assert (and (>= a (+ (* 2 f) 1)) (>= b (+ (* 2 f) 1))))
(assert (<= both f))
(check-sat)
(pop 1)

(echo "lemma: 2f + 1 of 3f + 1 are left when f are silent")
(push 1)
(assert (= n (+ (* 3 f) 1)))
(assert (< (- n f) (+ (* 2 f) 1)))
(check-sat)
(pop 1)

(echo "twin: not of 3f, so 3f + 1 replicas is the least")
(push 1)
(assert (>= f 1))
(assert (= n (* 3 f)))
(assert (< (- n f) (+ (* 2 f) 1)))
(check-sat)
(pop 1)

; Any number of replicas: the smallest quorum that serves is the whole part of (n + f) / 2, and one.
(echo "lemma: for any n, quorums of more than (n + f) / 2 share at least f + 1")
(push 1)
(assert (and (>= a (+ (div (+ n f) 2) 1)) (>= b (+ (div (+ n f) 2) 1))))
(assert (<= both f))
(check-sat)
(pop 1)

(echo "twin: one less is not enough")
(push 1)
(assert (>= f 1))
(assert (and (>= a (div (+ n f) 2)) (>= b (div (+ n f) 2))))
(assert (<= both f))
(check-sat)
(pop 1)
