(* Volhejn 2020, eqs 4.3-4.4 and section 4.3.2: Kendall's tau_b, and the highest value to be expected of it (V12). *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums pairs.
Import ListNotations.
Open Scope R_scope.

Definition sign (z : R) : R := if Rlt_dec 0 z then 1 else if Rlt_dec z 0 then -1 else 0.

Lemma sign_cases z : (z < 0 /\ sign z = -1) \/ (z = 0 /\ sign z = 0) \/ (0 < z /\ sign z = 1).
Proof. unfold sign; destruct (Rlt_dec 0 z), (Rlt_dec z 0); lra. Qed.

Definition tied (a b : R) : R := if Req_EM_T a b then 1 else 0.

(** * tau_inc *)

(* How much a sequence increases: pairs i < j that rise less those that fall, over the number of pairs. *)
Definition tau_increasing (X : list R) : R :=
  over_pairs (fun a b => sign (b - a)) X / over_pairs (fun _ _ => 1) X.
Definition inversions (X : list R) : R := over_pairs (fun a b => if Rlt_dec b a then 1 else 0) X.

Lemma pairs_positive {A} (l : list A) : (2 <= length l)%nat -> 0 < over_pairs (fun _ _ => 1) l.
Proof.
  intros H. rewrite number_of_pairs. assert (2 <= INR (length l)) by (change 2 with (INR 2); apply le_INR; auto). nra.
Qed.

(* V12.a: tau_inc(X) = 1 - (2 #{x_i > x_j} + #{x_i = x_j}) / (n choose 2), over i < j. *)
Theorem tau_counts_inversions X : (2 <= length X)%nat ->
  tau_increasing X = 1 - (2 * inversions X + over_pairs tied X) / (INR (length X) * (INR (length X) - 1) / 2).
Proof.
  intros H. unfold tau_increasing. rewrite <- number_of_pairs. assert (P := pairs_positive X H).
  enough (E : over_pairs (fun a b => sign (b - a)) X
    = over_pairs (fun _ _ => 1) X + (-2 * inversions X + - 1 * over_pairs tied X)) by (rewrite E; field; lra).
  unfold inversions. rewrite <- !over_pairs_scal, <- !over_pairs_plus. apply over_pairs_eq; intros [a b] _; simpl.
  unfold tied, sign. destruct (Rlt_dec 0 (b - a)), (Rlt_dec (b - a) 0), (Rlt_dec b a), (Req_EM_T a b); lra.
Qed.

(** * tau_b *)

(* A run: the measured value and its group, as (x_i, y_i). *)
Notation run := (R * R)%type.

Definition number (l : list run) : R := over_pairs (fun _ _ => 1) l. (* n_p *)
Definition first_ties (l : list run) : R := over_pairs (fun p q => tied (fst p) (fst q)) l. (* n_x *)
Definition second_ties (l : list run) : R := over_pairs (fun p q => tied (snd p) (snd q)) l. (* n_y *)
Definition first_sign (p q : run) : R := sign (fst q - fst p).
Definition second_sign (p q : run) : R := sign (snd q - snd p).

(* Pairs that x and y order the same way, less those that they order oppositely. *)
Definition balance (l : list run) : R := over_pairs (fun p q => first_sign p q * second_sign p q) l.

Definition tau_b (l : list run) : R :=
  balance l / sqrt ((number l - first_ties l) * (number l - second_ties l)).

(* Neither sequence is constant: without that tau_b is 0/0. *)
Definition varied (l : list run) : Prop := 0 < number l - first_ties l /\ 0 < number l - second_ties l.

Lemma untied_first l : number l - first_ties l = over_pairs (fun p q => first_sign p q * first_sign p q) l.
Proof.
  enough (E : number l = first_ties l + over_pairs (fun p q => first_sign p q * first_sign p q) l) by lra.
  unfold number, first_ties. rewrite <- over_pairs_plus. apply over_pairs_eq; intros [[a b] [c d]] _; simpl.
  unfold tied, first_sign; simpl. destruct (sign_cases (c - a)) as [[H ->] | [[H ->] | [H ->]]], (Req_EM_T a c); lra.
Qed.

Lemma untied_second l : number l - second_ties l = over_pairs (fun p q => second_sign p q * second_sign p q) l.
Proof.
  enough (E : number l = second_ties l + over_pairs (fun p q => second_sign p q * second_sign p q) l) by lra.
  unfold number, second_ties. rewrite <- over_pairs_plus. apply over_pairs_eq; intros [[a b] [c d]] _; simpl.
  unfold tied, second_sign; simpl. destruct (sign_cases (d - b)) as [[H ->] | [[H ->] | [H ->]]], (Req_EM_T b d); lra.
Qed.

(* Not constant: some pair differs, which is what `varied` counts. *)
Lemma varied_iff l : varied l <->
  (exists p, In p (pairs l) /\ fst (fst p) <> fst (snd p)) /\ (exists p, In p (pairs l) /\ snd (fst p) <> snd (snd p)).
Proof.
  assert (count : forall s : run * run -> R, 0 < sum (fun p => sign (s p) * sign (s p)) (pairs l)
    <-> exists p, In p (pairs l) /\ s p <> 0).
  { intros s. assert (N : forall p, In p (pairs l) -> 0 <= sign (s p) * sign (s p)) by (intros; apply Rle_0_sqr).
    split.
    - intros H. destruct (Exists_dec (fun p => s p <> 0) (pairs l)) as [E|E].
      + intros p; destruct (Req_EM_T (s p) 0); auto.
      + apply Exists_exists in E; auto.
      + exfalso. rewrite sum_zero in H; [lra|]. intros p Hp.
        assert (Z : s p = 0) by (destruct (Req_dec (s p) 0); auto; exfalso; apply E, Exists_exists; eauto).
        destruct (sign_cases (s p)) as [[? ?] | [[? ->] | [? ?]]]; lra.
    - intros [p [Hp Z]]. apply Rlt_le_trans with (sign (s p) * sign (s p)).
      + destruct (sign_cases (s p)) as [[? ->] | [[? ?] | [? ->]]]; lra.
      + apply (sum_ge_term (fun p => sign (s p) * sign (s p))); auto. }
  unfold varied. rewrite untied_first, untied_second. unfold over_pairs, first_sign, second_sign.
  rewrite (count (fun p => fst (snd p) - fst (fst p))), (count (fun p => snd (snd p) - snd (fst p))).
  split; intros [[p [P H]] [q [Q K]]]; (split; [exists p|exists q]); split; auto;
    intros E; first [apply H; lra|apply K; lra].
Qed.

Lemma tau_b_is l c : varied l ->
  (tau_b l = c <-> balance l = c * sqrt ((number l - first_ties l) * (number l - second_ties l))).
Proof.
  intros [P Q]. assert (S : 0 < sqrt ((number l - first_ties l) * (number l - second_ties l)))
    by (apply sqrt_lt_R0, Rmult_lt_0_compat; auto).
  unfold tau_b; split; intros H; [rewrite <- H|rewrite H]; field; lra.
Qed.

(* V12.c: tau_b = 1 iff all pairs have the same sign in x and in y. *)
Theorem tau_b_one l : varied l ->
  (tau_b l = 1 <-> forall p, In p (pairs l) -> first_sign (fst p) (snd p) = second_sign (fst p) (snd p)).
Proof.
  intros V. rewrite tau_b_is, Rmult_1_l by auto. destruct V as [P Q].
  rewrite sqrt_mult_alt by lra.
  set (p := sqrt (number l - first_ties l)). set (q := sqrt (number l - second_ties l)).
  assert (P0 : 0 < p) by (apply sqrt_lt_R0; auto). assert (Q0 : 0 < q) by (apply sqrt_lt_R0; auto).
  assert (P2 : p * p = number l - first_ties l) by (apply sqrt_sqrt; lra).
  assert (Q2 : q * q = number l - second_ties l) by (apply sqrt_sqrt; lra).
  set (h := fun r s => (q * first_sign r s - p * second_sign r s) * (q * first_sign r s - p * second_sign r s)).
  assert (E : over_pairs h l = 2 * (p * q) * (p * q - balance l)).
  { transitivity (q * q * over_pairs (fun r s => first_sign r s * first_sign r s) l
      + (p * p * over_pairs (fun r s => second_sign r s * second_sign r s) l + -2 * (p * q) * balance l)).
    - unfold balance. rewrite <- !over_pairs_scal, <- !over_pairs_plus. apply over_pairs_eq; intros; unfold h; ring.
    - rewrite <- untied_first, <- untied_second, <- P2, <- Q2. ring. }
  split.
  - intros H pair Hp. assert (Z : h (fst pair) (snd pair) = 0).
    { apply (sum_zero_inv (fun p => h (fst p) (snd p)) (pairs l)); auto.
      - intros; apply Rle_0_sqr.
      - change (over_pairs h l = 0). rewrite E, H. ring. }
    unfold h, first_sign, second_sign in *. apply Rsqr_0_uniq in Z.
    destruct (sign_cases (fst (snd pair) - fst (fst pair))) as [[_ s] | [[_ s] | [_ s]]],
      (sign_cases (snd (snd pair) - snd (fst pair))) as [[_ t] | [[_ t] | [_ t]]]; rewrite s, t in *; lra.
  - intros H.
    assert (EP : balance l = p * p)
      by (rewrite P2, untied_first; apply over_pairs_eq; intros pair Hp; rewrite (H pair Hp); auto).
    assert (EQ : balance l = q * q)
      by (rewrite Q2, untied_second; apply over_pairs_eq; intros pair Hp; rewrite (H pair Hp); auto).
    assert (p = q) by nra. subst. nra.
Qed.

(** * The ceiling *)

Definition ceiling (l : list run) : R := sqrt ((number l - second_ties l) / number l).

Definition no_pair_tied_in_both (l : list run) : Prop := forall p, In p (pairs l) -> fst p <> snd p.

(* V12.d: where no pair is tied in both, tau_b <= sqrt((n_p - n_y) / n_p). *)
Theorem tau_b_at_most_ceiling l : varied l -> no_pair_tied_in_both l -> tau_b l <= ceiling l.
Proof.
  intros [P Q] N. unfold tau_b, ceiling.
  set (neither := over_pairs (fun p q => (1 - tied (fst p) (fst q)) * (1 - tied (snd p) (snd q))) l).
  assert (B : balance l <= neither).
  { apply over_pairs_le; intros [[a b] [c d]] _; unfold first_sign, second_sign, tied; simpl.
    destruct (sign_cases (c - a)) as [[? ->] | [[? ->] | [? ->]]], (sign_cases (d - b)) as [[? ->] | [[? ->] | [? ->]]];
      destruct (Req_EM_T a c), (Req_EM_T b d); lra. }
  assert (C : number l = first_ties l + (second_ties l + neither)).
  { unfold number, first_ties, second_ties, neither. rewrite <- !over_pairs_plus.
    apply over_pairs_eq; intros [[a b] [c d]] Hp; simpl. specialize (N _ Hp); simpl in N. unfold tied.
    destruct (Req_EM_T a c) as [-> | ?], (Req_EM_T b d) as [-> | ?]; try lra. contradiction N; auto. }
  assert (positive : forall h, (forall p q, 0 <= h p q) -> 0 <= over_pairs h l) by (intros; apply sum_nonneg; auto).
  assert (X : 0 <= first_ties l) by (apply positive; intros; unfold tied; destruct Req_EM_T; lra).
  assert (Y : 0 <= second_ties l) by (apply positive; intros; unfold tied; destruct Req_EM_T; lra).
  assert (R : 0 <= neither) by (apply positive; intros; unfold tied; repeat destruct Req_EM_T; lra).
  set (x := first_ties l) in *. set (y := second_ties l) in *. set (n := number l) in *.
  assert (S : 0 < sqrt ((n - x) * (n - y))) by (apply sqrt_lt_R0, Rmult_lt_0_compat; auto).
  apply Rmult_le_reg_r with (sqrt ((n - x) * (n - y))); auto.
  unfold Rdiv at 1. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  rewrite <- sqrt_mult_alt by (apply Rlt_le, Rdiv_lt_0_compat; lra).
  apply Rle_trans with neither; auto. rewrite <- (sqrt_square neither) by auto. apply sqrt_le_1_alt.
  apply Rmult_le_reg_r with n; [lra|].
  replace ((n - y) / n * ((n - x) * (n - y)) * n) with ((n - y) * (n - x) * (n - y)) by (field; lra).
  assert (pos : forall a b c, 0 <= a -> 0 <= b -> 0 <= c -> 0 <= a * b * c)
    by (intros; repeat apply Rmult_le_pos; auto).
  assert (T := pos x x y X X Y). assert (U := pos x x neither X X R). assert (V := pos x y neither X Y R).
  assert (W := pos x neither neither X R R). rewrite C. lra.
Qed.

(* It is reached by distinct x that increase with y. *)
Definition increases_with_groups (l : list run) : Prop := forall p, In p (pairs l) ->
  fst (fst p) <> fst (snd p)
  /\ (snd (fst p) < snd (snd p) -> fst (fst p) < fst (snd p))
  /\ (snd (snd p) < snd (fst p) -> fst (snd p) < fst (fst p)).

Theorem ceiling_attained l : varied l -> increases_with_groups l -> tau_b l = ceiling l.
Proof.
  intros [P Q] I.
  assert (X : first_ties l = 0).
  { apply sum_zero; intros p Hp. destruct (I p Hp) as [D _]. unfold tied. destruct Req_EM_T; [contradiction|auto]. }
  assert (B : balance l = number l - second_ties l).
  { rewrite untied_second. apply over_pairs_eq; intros p Hp. destruct (I p Hp) as [_ [U D]].
    unfold first_sign, second_sign.
    destruct (sign_cases (fst (snd p) - fst (fst p))) as [[? ->] | [[? ->] | [? ->]]],
      (sign_cases (snd (snd p) - snd (fst p))) as [[? ->] | [[? ->] | [? ->]]]; lra. }
  unfold tau_b, ceiling. rewrite X, B, Rminus_0_r in *.
  set (n := number l) in *. set (k := n - second_ties l) in *.
  rewrite sqrt_mult_alt, sqrt_div_alt by lra.
  assert (0 < sqrt n) by (apply sqrt_lt_R0; lra). assert (0 < sqrt k) by (apply sqrt_lt_R0; lra).
  assert (K := sqrt_sqrt k ltac:(lra)). rewrite <- K at 1. field; lra.
Qed.

(* s groups of r runs each: every value of y is that of r runs. *)
Definition design (s r : nat) (l : list run) : Prop :=
  length l = (s * r)%nat /\ forall p, In p l -> sum (fun q => tied (snd p) (snd q)) l = INR r.

Theorem ceiling_of_design s r l : (2 <= s * r)%nat -> design s r l ->
  ceiling l = sqrt (INR r * (INR s - 1) / (INR s * INR r - 1)).
Proof.
  intros H [L G]. unfold ceiling. f_equal. unfold number, second_ties.
  assert (N : 2 <= INR s * INR r) by (rewrite <- mult_INR; change 2 with (INR 2); apply le_INR; auto).
  assert (T := ordered_pairs (fun p q : run => tied (snd p) (snd q)) l).
  rewrite (sum_eq _ (fun _ => INR r)), sum_const, (sum_eq (fun p : run => tied (snd p) (snd p)) (fun _ => 1)), sum_const
    in T by (auto; intros; unfold tied; destruct Req_EM_T; easy).
  assert (S : forall p q : run, tied (snd p) (snd q) = tied (snd q) (snd p))
    by (intros; unfold tied; repeat destruct Req_EM_T; congruence).
  specialize (T S). rewrite number_of_pairs. rewrite L, mult_INR in *.
  set (y := over_pairs (fun p q => tied (snd p) (snd q)) l) in *.
  replace y with (INR s * INR r * (INR r - 1) / 2) by lra. field.
  repeat split; intros Z; rewrite ?Z in N; lra.
Qed.

(* Such runs exist: the k-th of s r runs measures k and belongs to group k / r (rounded down). *)
Definition runs (s r : nat) : list run := map (fun k => (INR k, INR (k / r))) (seq 0 (s * r)).

Lemma in_pairs_of_seq {A} (f : nat -> A) n a p : In p (pairs (map f (seq a n))) ->
  exists k m, (a <= k < m)%nat /\ (m < a + n)%nat /\ p = (f k, f m).
Proof.
  revert a; induction n as [|n IH]; intros a H; [easy|]. simpl in H. apply in_app_or in H as [H|H].
  - apply in_map_iff in H as [b [<- Hb]]. apply in_map_iff in Hb as [m [<- Hm]]. apply in_seq in Hm.
    exists a, m; repeat split; auto; lia.
  - destruct (IH _ H) as [k [m [Hk [Hm ->]]]]. exists k, m; repeat split; auto; lia.
Qed.

Lemma size_of_group s r j : (0 < r)%nat ->
  sum (fun m => tied (INR j) (INR (m / r))) (seq 0 (s * r)) = if Nat.ltb j s then INR r else 0.
Proof.
  intros R. induction s as [|s IH]; [reflexivity|].
  replace (S s * r)%nat with (s * r + r)%nat by lia. rewrite seq_app, sum_app, IH, Nat.add_0_l.
  rewrite (sum_eq _ (fun _ => tied (INR j) (INR s))).
  - rewrite sum_const, seq_length. unfold tied.
    destruct (Nat.ltb_spec j s), (Nat.ltb_spec j (S s)), (Req_EM_T (INR j) (INR s)) as [E|E]; try lia; try lra.
    + apply INR_eq in E; lia.
    + exfalso; apply E. f_equal; lia.
    + apply INR_eq in E; lia.
  - intros m Hm; apply in_seq in Hm. do 2 f_equal. symmetry. apply (Nat.div_unique m r s (m - s * r)); lia.
Qed.

Lemma runs_design s r : (0 < r)%nat -> design s r (runs s r).
Proof.
  intros R; split; [unfold runs; rewrite map_length, seq_length; auto|].
  intros p Hp. apply in_map_iff in Hp as [k [<- Hk]]. apply in_seq in Hk.
  unfold runs; rewrite sum_map; simpl. rewrite size_of_group by auto.
  destruct (Nat.ltb_spec (k / r) s) as [|H]; auto. exfalso.
  assert (k / r < s)%nat by (apply Nat.div_lt_upper_bound; lia). lia.
Qed.

Lemma runs_increase s r : increases_with_groups (runs s r).
Proof.
  intros p Hp. apply in_pairs_of_seq in Hp as [k [m [Hk [_ ->]]]]; simpl.
  assert (INR k < INR m) by (apply lt_INR; lia).
  assert (INR (k / r) <= INR (m / r)).
  { apply le_INR. destruct r; [simpl; lia|]. apply Nat.div_le_mono; lia. }
  repeat split; intros; lra.
Qed.

(* s groups of r runs each reach tau_b = sqrt(r (s - 1) / (s r - 1)), and no more unless a pair is tied in both. *)
Theorem runs_reach_ceiling s r : (2 <= s)%nat -> (1 <= r)%nat ->
  tau_b (runs s r) = sqrt (INR r * (INR s - 1) / (INR s * INR r - 1)).
Proof.
  intros several some. rewrite <- (ceiling_of_design s r (runs s r)) by (auto using runs_design; nia).
  apply ceiling_attained; [|apply runs_increase]. apply varied_iff.
  set (p := ((INR 0, INR (0 / r)), (INR r, INR (r / r)))).
  assert (Hp : In p (pairs (runs s r))).
  { unfold runs. replace (s * r)%nat with (S (s * r - 1)) by nia. simpl. apply in_or_app; left.
    apply in_map_iff. exists (INR r, INR (r / r)); split; auto. apply in_map_iff. exists r; split; auto.
    apply in_seq; nia. }
  assert (0 < INR r) by (apply lt_0_INR; lia).
  split; exists p; split; auto; unfold p; cbn [fst snd].
  - simpl; lra.
  - rewrite Nat.div_same, Nat.div_0_l by lia. simpl; lra.
Qed.

(* V12.e: 8 sizes, 3 runs each, Table 4.2: 0.96 to two places. *)
Theorem printed_ceiling l : design 8 3 l -> ceiling l = sqrt (21 / 23) /\ 0.955 <= ceiling l < 0.965.
Proof.
  intros D. assert (E : ceiling l = sqrt (21 / 23)).
  { rewrite (ceiling_of_design 8 3 l) by (auto; lia). f_equal. simpl. field. }
  split; auto. rewrite E. split.
  - rewrite <- (sqrt_square 0.955) by lra. apply sqrt_le_1_alt. lra.
  - rewrite <- (sqrt_square 0.965) by lra. apply sqrt_lt_1_alt. lra.
Qed.

(* And 9 sizes, 10 runs each, Table 4.1: 0.948. *)
Theorem printed_ceiling_of_table_4_1 l : design 9 10 l -> 0.9475 <= ceiling l < 0.9485.
Proof.
  intros D. assert (E : ceiling l = sqrt (80 / 89)).
  { rewrite (ceiling_of_design 9 10 l) by (auto; lia). f_equal. simpl. field. }
  rewrite E. split.
  - rewrite <- (sqrt_square 0.9475) by lra. apply sqrt_le_1_alt. lra.
  - rewrite <- (sqrt_square 0.9485) by lra. apply sqrt_lt_1_alt. lra.
Qed.
