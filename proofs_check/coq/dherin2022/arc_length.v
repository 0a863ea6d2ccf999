(* Dherin et al. 2022, eq 4: the Dirichlet energy and the arc length of piecewise-linear functions through data, against
   those of the chords between the data. A function is what it does between neighbouring data points: a list of gaps, each
   a list of pieces (h, d), the width of a piece and what the function changes by there. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums.
Import ListNotations.
Open Scope R_scope.

Definition gap : Type := list (R * R).

Definition width (g : gap) : R := sum fst g.
Definition change (g : gap) : R := sum snd g.
Definition slope (g : gap) : R := change g / width g.

(* Some pieces in each gap, all of a positive width. *)
Definition cut (gaps : list gap) : Prop := forall g, In g gaps -> g <> [] /\ forall p, In p g -> 0 < fst p.

(* The integral of a function of the slope over all pieces, or over all chords. *)
Definition over_pieces (cost : gap -> R * R -> R) (gaps : list gap) : R := sum (fun g => sum (cost g) g) gaps.

Definition energy : list gap -> R := over_pieces (fun _ p => snd p * snd p / (2 * fst p)).
Definition chord_energy (gaps : list gap) : R := sum (fun g => change g * change g / (2 * width g)) gaps.

(* The energy of the difference of the function and its chords. *)
Definition excess_energy : list gap -> R :=
  over_pieces (fun g p => (snd p - slope g * fst p) * (snd p - slope g * fst p) / (2 * fst p)).

Definition arc_length : list gap -> R := over_pieces (fun _ p => sqrt (fst p * fst p + snd p * snd p)).
Definition chord_length (gaps : list gap) : R := sum (fun g => sqrt (width g * width g + change g * change g)) gaps.
Definition span (gaps : list gap) : R := sum width gaps.

(* No piece is steeper than S. *)
Definition at_most_as_steep (S : R) (gaps : list gap) : Prop :=
  forall g p, In g gaps -> In p g -> Rabs (snd p / fst p) <= S.

Lemma width_pos gaps g : cut gaps -> In g gaps -> 0 < width g.
Proof.
  intros C Hg. destruct (C g Hg) as [N P]. destruct g as [|p g]; [easy|].
  unfold width; simpl. assert (0 < fst p) by (apply P; now left).
  assert (0 <= sum fst g); [|lra]. apply sum_nonneg; intros q Hq. apply Rlt_le, P; now right.
Qed.

(** * Energy *)

Lemma energy_in_a_gap g : 0 < width g -> (forall p, In p g -> 0 < fst p) ->
  sum (fun p => snd p * snd p / (2 * fst p)) g =
  change g * change g / (2 * width g)
  + sum (fun p => (snd p - slope g * fst p) * (snd p - slope g * fst p) / (2 * fst p)) g.
Proof.
  intros W P. set (s := slope g).
  rewrite (sum_eq _ (fun p => (snd p - s * fst p) * (snd p - s * fst p) / (2 * fst p) + (s * snd p - s * s / 2 * fst p)) g)
    by (intros p Hp; specialize (P p Hp); field; lra).
  rewrite sum_plus, sum_minus, !sum_scal. fold (width g) (change g).
  replace (s * change g - s * s / 2 * width g) with (change g * change g / (2 * width g))
    by (unfold s, slope; field; lra).
  lra.
Qed.

Theorem energy_of_interpolants gaps : cut gaps -> energy gaps = chord_energy gaps + excess_energy gaps.
Proof.
  intros C. unfold energy, chord_energy, excess_energy, over_pieces. rewrite <- sum_plus.
  apply sum_eq; intros g Hg. apply energy_in_a_gap; [now apply (width_pos gaps)|now apply C].
Qed.

(** * Arc length *)

Lemma root_pos s : 0 < sqrt (1 + s * s).
Proof. apply sqrt_lt_R0. pose proof (Rle_0_sqr s) as H; unfold Rsqr in H; lra. Qed.

Lemma root_square s : sqrt (1 + s * s) * sqrt (1 + s * s) = 1 + s * s.
Proof. apply sqrt_sqrt. pose proof (Rle_0_sqr s) as H; unfold Rsqr in H; lra. Qed.

Lemma root_ge_one s : 1 <= sqrt (1 + s * s).
Proof. pose proof (root_pos s). pose proof (root_square s). nra. Qed.

(* The second derivative of sqrt(1 + t^2) is at most 1 ... *)
Lemma root_above s t :
  sqrt (1 + t * t) <= (1 + s * t) / sqrt (1 + s * s) + (t - s) * (t - s) / 2.
Proof.
  set (b := sqrt (1 + s * s)). pose proof (root_pos s) as B. pose proof (root_square s) as Q.
  pose proof (root_ge_one s) as O. fold b in B, Q, O.
  set (r := t - s). set (k := s / b).
  assert (K : k * b = s) by (unfold k; field; lra).
  replace ((1 + s * t) / b + r * r / 2) with (b + k * r + r * r / 2).
  2:{ replace (1 + s * t) with (b * b + k * b * r) by (rewrite Q, K; unfold r; ring). field; lra. }
  assert (k * k <= 1).
  { assert (k * k * (b * b) = s * s) by (rewrite <- K; ring).
    destruct (Rle_lt_dec (k * k) 1) as [|big]; [easy|]. assert (0 < b * b) by nra. nra. }
  assert (0 <= b + k * r + r * r / 2).
  { pose proof (Rle_0_sqr (r + k)) as H1; unfold Rsqr in H1. nra. }
  rewrite <- (sqrt_square (b + k * r + r * r / 2)) by easy. apply sqrt_le_1_alt.
  replace t with (s + r) by (unfold r; ring).
  assert (E : (b + k * r + r * r / 2) * (b + k * r + r * r / 2) - (1 + (s + r) * (s + r))
          = r * r * ((k + r / 2) * (k + r / 2) + (b - 1)) + (b * b - (1 + s * s)) + 2 * r * (k * b - s)) by field.
  rewrite Q, K in E. pose proof (Rle_0_sqr (k + r / 2)) as H2; unfold Rsqr in H2.
  assert (0 <= r * r * ((k + r / 2) * (k + r / 2) + (b - 1))) by (apply Rmult_le_pos; nra).
  lra.
Qed.

(* ... and at least 1/c^3 where sqrt(1 + t^2) is at most c. *)
Lemma root_below s t c : sqrt (1 + s * s) <= c -> sqrt (1 + t * t) <= c ->
  (1 + s * t) / sqrt (1 + s * s) + (t - s) * (t - s) / 2 / (c * c * c) <= sqrt (1 + t * t).
Proof.
  intros Hb Ha. pose proof (root_pos s) as B. pose proof (root_square s) as Qb.
  pose proof (root_pos t) as A. pose proof (root_square t) as Qa.
  set (b := sqrt (1 + s * s)) in *. set (a := sqrt (1 + t * t)) in *.
  set (v := 1 + s * t). set (w := (t - s) * (t - s)).
  assert (U : a * b * (a * b) = v * v + w).
  { replace (a * b * (a * b)) with (a * a * (b * b)) by ring. rewrite Qa, Qb. unfold v, w. ring. }
  assert (W : 0 <= w) by (unfold w; pose proof (Rle_0_sqr (t - s)) as H; unfold Rsqr in H; lra).
  assert (P : 0 < a * b) by (apply Rmult_lt_0_compat; lra).
  assert (M : w <= 2 * (a * b) * (a * b - v)).
  { pose proof (Rle_0_sqr (a * b - v)) as H; unfold Rsqr in H. lra. }
  assert (C : a * b * b <= c * c * c).
  { apply Rmult_le_compat; [nra|lra| |lra]. apply Rmult_le_compat; lra. }
  assert (D : 0 < a * b * b) by nra.
  apply Rle_trans with (v / b + w / 2 / (a * b * b)).
  - apply Rplus_le_compat_l. unfold Rdiv. apply Rmult_le_compat_l; [lra|]. apply Rinv_le_contravar; lra.
  - apply Rmult_le_reg_l with (2 * (a * b * b)); [lra|].
    replace (2 * (a * b * b) * (v / b + w / 2 / (a * b * b))) with (2 * (a * b) * v + w) by (field; lra).
    nra.
Qed.

(* The length of a piece, by its slope. *)
Lemma length_by_slope h d : 0 < h -> sqrt (h * h + d * d) = h * sqrt (1 + d / h * (d / h)).
Proof.
  intros H. replace (h * h + d * d) with (h * h * (1 + d / h * (d / h))) by (field; lra).
  rewrite sqrt_mult_alt by nra. now rewrite sqrt_square by lra.
Qed.

(* The tangents at the slope of a chord sum to its length. *)
Lemma tangents_in_a_gap g : 0 < width g ->
  sum (fun p => (fst p + slope g * snd p) / sqrt (1 + slope g * slope g)) g
  = sqrt (width g * width g + change g * change g).
Proof.
  intros W. pose proof (root_pos (slope g)) as B. pose proof (root_square (slope g)) as Q.
  set (b := sqrt (1 + slope g * slope g)) in *.
  rewrite (length_by_slope (width g) (change g) W). fold (slope g). fold b.
  unfold Rdiv. rewrite sum_scal_r, sum_plus, sum_scal. fold (width g) (change g).
  replace (change g) with (slope g * width g) by (unfold slope; field; lra).
  replace (width g + slope g * (slope g * width g)) with (width g * (b * b)) by (rewrite Q; ring).
  field; lra.
Qed.

Theorem interpolants_are_longer gaps S : cut gaps -> 0 <= S -> at_most_as_steep S gaps ->
  arc_length gaps >= chord_length gaps
    + excess_energy gaps / (sqrt (1 + S * S) * sqrt (1 + S * S) * sqrt (1 + S * S)).
Proof.
  intros C HS St. set (c := sqrt (1 + S * S)). apply Rle_ge.
  unfold arc_length, chord_length, excess_energy, over_pieces, Rdiv. rewrite <- sum_scal_r, <- sum_plus.
  apply sum_le; intros g Hg. destruct (C g Hg) as [N P]. assert (W : 0 < width g) by now apply (width_pos gaps).
  rewrite <- (tangents_in_a_gap g W), <- sum_scal_r, <- sum_plus. apply sum_le; intros [h d] Hp; simpl.
  assert (H : 0 < h) by apply (P (h, d) Hp).
  assert (steep : forall s, Rabs s <= S -> sqrt (1 + s * s) <= c).
  { intros s Hs. apply sqrt_le_1_alt. apply Rplus_le_compat_l.
    rewrite <- (Rabs_pos_eq (s * s)) by (pose proof (Rle_0_sqr s) as Q; unfold Rsqr in Q; lra).
    rewrite Rabs_mult. apply Rmult_le_compat; auto using Rabs_pos. }
  assert (slope_le : Rabs (slope g) <= S).
  { unfold slope, Rdiv. rewrite Rabs_mult, (Rabs_pos_eq (/ width g)) by (apply Rlt_le, Rinv_0_lt_compat; lra).
    apply Rmult_le_reg_r with (width g); [lra|]. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
    apply Rle_trans with (sum (fun p => Rabs (snd p)) g); [apply sum_abs|].
    unfold width. rewrite <- sum_scal. apply sum_le; intros q Hq. specialize (P q Hq). specialize (St g q Hg Hq).
    unfold Rdiv in St. rewrite Rabs_mult, (Rabs_pos_eq (/ fst q)) in St by (apply Rlt_le, Rinv_0_lt_compat; lra).
    apply Rmult_le_compat_r with (r := fst q) in St; [|lra].
    rewrite Rmult_assoc, Rinv_l, Rmult_1_r in St; lra. }
  pose proof (root_below (slope g) (d / h) c (steep _ slope_le) (steep _ (St g (h, d) Hg Hp))) as T.
  rewrite (length_by_slope h d H).
  pose proof (root_pos (slope g)). assert (0 < c) by apply root_pos.
  apply Rmult_le_compat_l with (r := h) in T; [|lra].
  eapply Rle_trans; [|exact T]. apply Req_le. field. repeat split; lra.
Qed.

Theorem least_complexity_is_shortest gaps : cut gaps ->
  arc_length gaps <= chord_length gaps + (energy gaps - chord_energy gaps).
Proof.
  intros C. rewrite (energy_of_interpolants gaps C).
  replace (chord_energy gaps + excess_energy gaps - chord_energy gaps) with (excess_energy gaps) by ring.
  unfold arc_length, chord_length, excess_energy, over_pieces. rewrite <- sum_plus.
  apply sum_le; intros g Hg. destruct (C g Hg) as [N P]. assert (W : 0 < width g) by now apply (width_pos gaps).
  rewrite <- (tangents_in_a_gap g W), <- sum_plus. apply sum_le; intros [h d] Hp; simpl.
  assert (H : 0 < h) by apply (P (h, d) Hp).
  pose proof (root_above (slope g) (d / h)) as T. rewrite (length_by_slope h d H).
  pose proof (root_pos (slope g)).
  apply Rmult_le_compat_l with (r := h) in T; [|lra].
  eapply Rle_trans; [exact T|]. apply Req_le. field. repeat split; lra.
Qed.

Theorem arc_length_at_most_energy gaps : cut gaps -> arc_length gaps <= span gaps + energy gaps.
Proof.
  intros C. unfold arc_length, span, energy, over_pieces. rewrite <- sum_plus.
  apply sum_le; intros g Hg. destruct (C g Hg) as [_ P]. unfold width. rewrite <- sum_plus.
  apply sum_le; intros [h d] Hp; simpl. assert (H : 0 < h) by apply (P (h, d) Hp).
  rewrite (length_by_slope h d H). pose proof (root_above 0 (d / h)) as T.
  replace (1 + 0 * 0) with 1 in T by ring. rewrite sqrt_1 in T.
  apply Rmult_le_compat_l with (r := h) in T; [|lra].
  eapply Rle_trans; [exact T|]. apply Req_le. field. lra.
Qed.
